//! An open-loop OUCH client: requests leave by the clock, whatever the exchange does, and latency counts from then.
//!
//! `exchange-load ADDRESS --logins USER:PASSWORD,... --symbols AAPL,... [--rate 50000] [--seconds 20] [--warm-up 2]
//! [--live 5000] [--gap-us 50] [--seed 1]`; the result is one line of JSON.
#![forbid(unsafe_code)]

mod flow;
mod histogram;
mod random;
mod session;

use std::io;
use std::time::{Duration, Instant};

use flow::Flow;
use rustix::event::{poll, PollFd, PollFlags, Timespec};
use session::Session;

/// How long answers are waited for after the last request.
const DRAIN: Duration = Duration::from_secs(30);
const HEARTBEAT: Duration = Duration::from_secs(1);
/// Requests written to a connection before the others have their turn.
const TURN: u64 = 2_000;

struct Options {
    address: String,
    logins: Vec<(String, String)>,
    symbols: Vec<[u8; 8]>,
    rate: f64,
    seconds: f64,
    warm_up: f64,
    live: u64,
    gap: Duration,
    seed: u64,
}

fn options() -> Result<Options, String> {
    let mut arguments = std::env::args().skip(1);
    let address = arguments.next().ok_or("the address of the exchange is missing")?;
    let mut options = Options {
        address,
        logins: Vec::new(),
        symbols: Vec::new(),
        rate: 50_000.0,
        seconds: 20.0,
        warm_up: 2.0,
        live: 5_000,
        gap: Duration::from_micros(50),
        seed: 1,
    };
    while let Some(name) = arguments.next() {
        let value = arguments.next().ok_or_else(|| format!("{name} has no value"))?;
        let number = || value.parse::<f64>().map_err(|_| format!("{name} {value} is no number"));
        match name.as_str() {
            "--logins" => {
                for login in value.split(',') {
                    let (user, password) = login.split_once(':').ok_or("a login is USER:PASSWORD")?;
                    options.logins.push((user.to_owned(), password.to_owned()));
                }
            }
            "--symbols" => options.symbols = value.split(',').map(padded).collect(),
            "--rate" => options.rate = number()?,
            "--seconds" => options.seconds = number()?,
            "--warm-up" => options.warm_up = number()?,
            "--live" => options.live = number()? as u64,
            "--gap-us" => options.gap = Duration::from_micros(number()? as u64),
            "--seed" => options.seed = number()? as u64,
            _ => return Err(format!("{name} is no option")),
        }
    }
    if options.logins.is_empty() || options.symbols.is_empty() {
        return Err("--logins and --symbols are needed".to_owned());
    }
    Ok(options)
}

fn padded(symbol: &str) -> [u8; 8] {
    let mut padded = [b' '; 8];
    padded[..symbol.len().min(8)].copy_from_slice(&symbol.as_bytes()[..symbol.len().min(8)]);
    padded
}

struct Client {
    session: Session,
    flow: Flow,
    written: u64,
    last_written: Instant,
}

struct Run {
    clients: Vec<Client>,
    begun: Instant,
    lag_ns_max: u64,
}

impl Run {
    fn now_ns(&self) -> u64 {
        self.begun.elapsed().as_nanos() as u64
    }

    /// Sends and receives until the next request is due, at most.
    fn turn(&mut self, until: Instant) -> io::Result<()> {
        for client in &mut self.clients {
            if client.last_written.elapsed() > HEARTBEAT {
                client.session.heartbeat();
                client.last_written = Instant::now();
            }
            client.session.flush()?;
        }
        let left = until.saturating_duration_since(Instant::now());
        let timeout = Timespec { tv_sec: left.as_secs() as i64, tv_nsec: i64::from(left.subsec_nanos()) };
        let mut waiting: Vec<PollFd<'_>> = Vec::with_capacity(self.clients.len());
        for client in &self.clients {
            let out = if client.session.has_unsent() { PollFlags::OUT } else { PollFlags::empty() };
            waiting.push(PollFd::new(&client.session.stream, PollFlags::IN | out));
        }
        poll(&mut waiting, Some(&timeout))?;
        let ready: Vec<bool> = waiting.iter().map(|one| one.revents().contains(PollFlags::IN)).collect();
        for (client, _) in self.clients.iter_mut().zip(ready).filter(|(_, ready)| *ready) {
            let begun = self.begun;
            let flow = &mut client.flow;
            let mut now_ns = begun.elapsed().as_nanos() as u64;
            let mut heard = 0_u32;
            client.session.receive(|message| {
                heard += 1;
                if heard % 256 == 0 {
                    now_ns = begun.elapsed().as_nanos() as u64;
                }
                flow.hear(message, now_ns);
            })?;
        }
        Ok(())
    }

    /// Writes what is due by the clock; a connection that takes no more keeps its requests due.
    fn write_due(&mut self, start_ns: u64, rate: f64, until_ns: u64) -> u64 {
        let now_ns = self.now_ns().min(until_ns);
        let stride = self.clients.len() as u64;
        let due_of = |index: u64| start_ns + (index as f64 * 1e9 / rate) as u64;
        let mut next_ns = u64::MAX;
        for (place, client) in self.clients.iter_mut().enumerate() {
            for _ in 0..TURN {
                let due_ns = due_of(client.written * stride + place as u64);
                if due_ns >= now_ns {
                    next_ns = next_ns.min(due_ns);
                    break;
                }
                let Some(out) = client.session.room() else { break };
                client.flow.next(due_ns, out);
                client.written += 1;
                client.last_written = Instant::now();
                self.lag_ns_max = self.lag_ns_max.max(now_ns - due_ns);
            }
        }
        next_ns
    }

    /// Has every session told its next number.
    fn query(&mut self) -> io::Result<()> {
        for client in &mut self.clients {
            let out = client.session.room().expect("nothing was written yet");
            client.flow.query(out);
        }
        let begun = Instant::now();
        while !self.clients.iter().all(|client| client.flow.knows_its_number()) {
            self.turn(Instant::now() + Duration::from_millis(1))?;
            if begun.elapsed() > DRAIN {
                return Err(io::Error::other("the exchange does not tell the next number"));
            }
        }
        Ok(())
    }

    /// Fills the book with resting orders, at the speed of the exchange.
    fn fill(&mut self, live: u64) -> io::Result<()> {
        let each = live / self.clients.len() as u64;
        let begun = Instant::now();
        while self.clients.iter().any(|client| (client.flow.live_orders() as u64) < each) {
            for client in &mut self.clients {
                let missing = each.saturating_sub(client.flow.live_orders() as u64 + client.flow.awaited);
                let Some(out) = client.session.room() else { continue };
                (0..missing.min(100)).for_each(|_| client.flow.enter(0, out));
            }
            self.turn(Instant::now() + Duration::from_millis(1))?;
            if begun.elapsed() > DRAIN {
                return Err(io::Error::other("the book did not fill: the exchange accepts no orders"));
            }
        }
        Ok(())
    }

    fn awaited(&self) -> u64 {
        self.clients.iter().map(|client| client.flow.awaited).sum()
    }

    fn drain(&mut self) -> io::Result<Duration> {
        let begun = Instant::now();
        while self.awaited() > 0 && begun.elapsed() < DRAIN {
            self.turn(Instant::now() + Duration::from_millis(1))?;
        }
        Ok(begun.elapsed())
    }
}

fn run(options: &Options) -> io::Result<String> {
    let mut clients = Vec::new();
    for (place, (user, password)) in options.logins.iter().enumerate() {
        let live = options.live / options.logins.len() as u64;
        let flow = Flow::new(options.seed + place as u64, options.symbols.clone(), live.max(8));
        let session = Session::log_in(&options.address, user, password, 0)?;
        clients.push(Client { session, flow, written: 0, last_written: Instant::now() });
    }
    let mut run = Run { clients, begun: Instant::now(), lag_ns_max: 0 };
    run.query()?;
    run.fill(options.live)?;
    run.drain()?;
    let start_ns = run.now_ns();
    let measured_ns = start_ns + (options.warm_up * 1e9) as u64;
    let end_ns = measured_ns + (options.seconds * 1e9) as u64;
    let mut warm = false;
    let mut answered_before = 0;
    while run.now_ns() < end_ns {
        if !warm && run.now_ns() >= measured_ns {
            warm = true;
            run.lag_ns_max = 0;
            answered_before = 0;
            run.clients.iter_mut().for_each(|client| client.flow.measure_from(measured_ns));
        }
        let next_ns = run.write_due(start_ns, options.rate, end_ns);
        let wake_ns = next_ns.min(end_ns).max(run.now_ns() + options.gap.as_nanos() as u64);
        run.turn(run.begun + Duration::from_nanos(wake_ns))?;
    }
    let answered: u64 = run.clients.iter().map(|client| client.flow.tally.answered).sum();
    let in_time = answered - answered_before;
    let backlog = run.awaited();
    // What was due and could not be written while the exchange held the connections back is still sent.
    let due = (options.rate * (options.warm_up + options.seconds)) as u64;
    let unsent = due.saturating_sub(run.clients.iter().map(|client| client.written).sum());
    let drained = run.drain()?;
    let lost = run.awaited();
    Ok(report(options, &run, in_time, backlog, unsent, lost, drained) + &check_sequences(options, run)?)
}

/// Logs in again: the exchange must count as many sequenced messages as were received.
fn check_sequences(options: &Options, run: Run) -> io::Result<String> {
    let mut gaps = 0;
    let seen: Vec<u64> = run.clients.iter().map(|client| client.session.next_sequence).collect();
    drop(run);
    for ((user, password), seen) in options.logins.iter().zip(seen) {
        let session = Session::log_in(&options.address, user, password, seen)?;
        gaps += u64::from(session.next_sequence != seen);
    }
    Ok(format!(",\"gaps\":{gaps}}}"))
}

fn report(
    options: &Options,
    run: &Run,
    in_time: u64,
    backlog: u64,
    unsent: u64,
    awaited: u64,
    drained: Duration,
) -> String {
    let mut all = flow::Tally::default();
    let mut executions_live = 0;
    for client in &run.clients {
        let tally = &client.flow.tally;
        all.sent += tally.sent;
        all.answered += tally.answered;
        all.overtaken += tally.overtaken;
        all.rejected += tally.rejected;
        all.executions += tally.executions;
        all.lost += tally.lost;
        all.latency.merge(&tally.latency);
        executions_live += client.flow.live_orders();
        all.kinds.iter_mut().zip(tally.kinds).for_each(|(sum, kind)| *sum += kind);
    }
    let percentiles: Vec<String> = [(50, 0.5), (90, 0.9), (99, 0.99), (999, 0.999)]
        .iter()
        .map(|(name, share)| format!("\"p{name}_us\":{:.1}", all.latency.percentile_ns(*share) as f64 / 1e3))
        .collect();
    format!(
        "{{\"offered_per_s\":{:.0},\"answered_per_s\":{:.0},\"sent\":{},\"answered\":{},\"overtaken\":{},\
         \"rejected\":{},\"executions\":{},\"entered\":{},\"cancelled\":{},\"replaced\":{},\"crossing\":{},\
         \"live\":{},{},\"max_us\":{:.1},\"measured\":{},\"lag_us_max\":{:.1},\"backlog\":{},\"unsent\":{},\
         \"drained_ms\":{:.1},\"lost\":{}",
        options.rate,
        in_time as f64 / options.seconds,
        all.sent,
        all.answered,
        all.overtaken,
        all.rejected,
        all.executions,
        all.kinds[0],
        all.kinds[1],
        all.kinds[2],
        all.kinds[3],
        executions_live,
        percentiles.join(","),
        all.latency.max_ns as f64 / 1e3,
        all.latency.count,
        run.lag_ns_max as f64 / 1e3,
        backlog,
        unsent,
        drained.as_secs_f64() * 1e3,
        awaited + all.lost,
    )
}

fn main() {
    let outcome = options().map_err(io::Error::other).and_then(|options| run(&options));
    match outcome {
        Ok(line) => println!("{line}"),
        Err(error) => {
            eprintln!("exchange-load: {error}");
            std::process::exit(1);
        }
    }
}
