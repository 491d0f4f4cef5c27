import com.paritytrading.nassau.soupbintcp.SoupBinTCP;
import com.paritytrading.nassau.soupbintcp.SoupBinTCPClient;
import com.paritytrading.nassau.soupbintcp.SoupBinTCPClientStatusListener;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;

/** Logs in, sends messages, prints what comes, logs out: host port user password sequence count [hex message]... */
public final class Driver implements SoupBinTCPClientStatusListener {
    private boolean isOpen;
    private boolean isOver;
    private int received;

    public static void main(String[] args) throws Exception {
        Driver driver = new Driver();
        SocketChannel channel = SocketChannel.open(new InetSocketAddress(args[0], Integer.parseInt(args[1])));
        SoupBinTCPClient client = new SoupBinTCPClient(channel, driver::message, driver);
        SoupBinTCP.LoginRequest login = new SoupBinTCP.LoginRequest();
        login.setUsername(args[2]);
        login.setPassword(args[3]);
        login.setRequestedSession("");
        login.setRequestedSequenceNumber(Long.parseLong(args[4]));
        client.login(login);
        while (!driver.isOpen && !driver.isOver && client.receive() >= 0) {
            client.keepAlive();
        }
        for (int at = 6; at < args.length && driver.isOpen; at++) {
            client.send(ByteBuffer.wrap(bytes(args[at])));
        }
        int count = Integer.parseInt(args[5]);
        while (driver.isOpen && driver.received < count && !driver.isOver && client.receive() >= 0) {
            client.keepAlive();
        }
        if (driver.isOpen && !driver.isOver) {
            client.logout();
        }
        client.close();
    }

    private void message(ByteBuffer payload) {
        StringBuilder text = new StringBuilder("message ");
        while (payload.hasRemaining()) {
            text.append(String.format("%02x", payload.get()));
        }
        System.out.println(text);
        received++;
    }

    private static byte[] bytes(String hex) {
        byte[] found = new byte[hex.length() / 2];
        for (int at = 0; at < found.length; at++) {
            found[at] = (byte) Integer.parseInt(hex.substring(2 * at, 2 * at + 2), 16);
        }
        return found;
    }

    @Override
    public void loginAccepted(SoupBinTCPClient session, SoupBinTCP.LoginAccepted payload) {
        System.out.println("accepted " + payload.getSession().trim() + " " + payload.getSequenceNumber());
        isOpen = true;
    }

    @Override
    public void loginRejected(SoupBinTCPClient session, SoupBinTCP.LoginRejected payload) {
        System.out.println("rejected " + (char) payload.getRejectReasonCode());
        isOver = true;
    }

    @Override
    public void endOfSession(SoupBinTCPClient session) {
        System.out.println("end");
        isOver = true;
    }

    @Override
    public void heartbeatTimeout(SoupBinTCPClient session) {
        System.out.println("timeout");
        isOver = true;
    }
}
