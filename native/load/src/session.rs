//! One connection over SoupBinTCP: log in, send what fits, take what has come, count the sequenced messages.

use std::io::{self, ErrorKind, Read, Write};
use std::net::TcpStream;

const READ_BYTES: usize = 256 << 10;
/// More unsent bytes than this hold the flow back; its requests stay due when they were.
const UNSENT_BYTES_MAX: usize = 256 << 10;

pub struct Session {
    pub stream: TcpStream,
    /// The sequence of the next sequenced message.
    pub next_sequence: u64,
    unsent: Vec<u8>,
    sent_to: usize,
    received: Vec<u8>,
    filled: usize,
    pub closed: bool,
}

fn broken(text: &str) -> io::Error {
    io::Error::other(text.to_owned())
}

impl Session {
    /// Connects and logs in; sequence: of the first message wanted, 0 for only new ones.
    pub fn log_in(address: &str, user: &str, password: &str, sequence: u64) -> io::Result<Self> {
        let mut stream = TcpStream::connect(address)?;
        stream.set_nodelay(true)?;
        let login = format!("{user:<6}{password:<10}{:10}{sequence:>20}", "");
        stream.write_all(&[&[0, 47, b'L'][..], login.as_bytes()].concat())?;
        let mut head = [0; 3];
        stream.read_exact(&mut head)?;
        if head[2] != b'A' {
            return Err(broken(&format!("the login of {user} was refused")));
        }
        let mut body = [0; 30];
        stream.read_exact(&mut body)?;
        let text = String::from_utf8_lossy(&body[10..]).trim().to_owned();
        let next_sequence = text.parse().map_err(|_| broken("the sequence of the login is no number"))?;
        stream.set_nonblocking(true)?;
        Ok(Self {
            stream,
            next_sequence,
            unsent: Vec::new(),
            sent_to: 0,
            received: vec![0; READ_BYTES],
            filled: 0,
            closed: false,
        })
    }

    /// Where requests are written, if more may be.
    pub fn room(&mut self) -> Option<&mut Vec<u8>> {
        (self.unsent.len() - self.sent_to < UNSENT_BYTES_MAX).then_some(&mut self.unsent)
    }

    pub fn has_unsent(&self) -> bool {
        self.sent_to < self.unsent.len()
    }

    pub fn heartbeat(&mut self) {
        self.unsent.extend([0, 1, b'R']);
    }

    /// Sends as much as the connection takes.
    pub fn flush(&mut self) -> io::Result<()> {
        while self.has_unsent() {
            match self.stream.write(&self.unsent[self.sent_to..]) {
                Ok(sent) => self.sent_to += sent,
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(()),
                Err(error) => return Err(error),
            }
        }
        self.unsent.clear();
        self.sent_to = 0;
        Ok(())
    }

    /// Takes what has come, and gives each sequenced message.
    pub fn receive(&mut self, mut hear: impl FnMut(&[u8])) -> io::Result<()> {
        loop {
            match self.stream.read(&mut self.received[self.filled..]) {
                Ok(0) => {
                    self.closed = true;
                    return Err(broken("the exchange closed the connection"));
                }
                Ok(size) => self.filled += size,
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(()),
                Err(error) => return Err(error),
            }
            let used = self.packets(&mut hear)?;
            self.received.copy_within(used..self.filled, 0);
            self.filled -= used;
        }
    }

    fn packets(&mut self, hear: &mut impl FnMut(&[u8])) -> io::Result<usize> {
        let mut at = 0;
        while self.filled - at >= 3 {
            let length = usize::from(u16::from_be_bytes([self.received[at], self.received[at + 1]]));
            if self.filled - at < 2 + length {
                break;
            }
            match self.received[at + 2] {
                b'S' => {
                    self.next_sequence += 1;
                    hear(&self.received[at + 3..at + 2 + length]);
                }
                b'Z' => return Err(broken("the exchange ended the session")),
                _ => {}
            }
            at += 2 + length;
        }
        Ok(at)
    }
}
