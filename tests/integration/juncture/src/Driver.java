import com.paritytrading.juncture.nasdaq.itch50.ITCH50;
import com.paritytrading.juncture.nasdaq.itch50.ITCH50Listener;
import com.paritytrading.juncture.nasdaq.itch50.ITCH50Parser;
import com.paritytrading.nassau.MessageListener;
import com.paritytrading.nassau.soupbintcp.SoupBinTCP;
import com.paritytrading.nassau.soupbintcp.SoupBinTCPClient;
import com.paritytrading.nassau.soupbintcp.SoupBinTCPClientStatusListener;
import com.paritytrading.nassau.util.BinaryFILE;
import java.io.File;
import java.lang.reflect.Proxy;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;
import java.util.HashMap;
import java.util.Map;
import java.util.TreeMap;

/**
 * Reads ITCH with juncture and prints how many messages of each type, then every price level: file PATH, or
 * live HOST PORT SEQUENCE COUNT, which logs in over SoupBinTCP and takes so many messages, or all until the session ends.
 */
public final class Driver implements MessageListener {
    private static final class Order {
        String symbol;
        char side;
        long price;
        long shares;
    }

    private final Map<Long, Order> orders = new HashMap<>();
    private final Map<Character, Integer> counts = new TreeMap<>();
    private final ITCH50Parser parser = new ITCH50Parser(listener());
    private int taken;

    public static void main(String[] args) throws Exception {
        Driver driver = new Driver();
        if (args[0].equals("file")) {
            BinaryFILE.read(new File(args[1]), driver);
        } else {
            driver.follow(args[1], Integer.parseInt(args[2]), Long.parseLong(args[3]), Integer.parseInt(args[4]));
        }
        driver.print();
    }

    private void follow(String host, int port, long sequence, int count) throws Exception {
        boolean[] isOver = {false};
        SocketChannel channel = SocketChannel.open(new InetSocketAddress(host, port));
        SoupBinTCPClientStatusListener status = new SoupBinTCPClientStatusListener() {
            @Override
            public void loginAccepted(SoupBinTCPClient session, SoupBinTCP.LoginAccepted payload) {}

            @Override
            public void loginRejected(SoupBinTCPClient session, SoupBinTCP.LoginRejected payload) {
                System.out.println("rejected " + (char) payload.getRejectReasonCode());
                isOver[0] = true;
            }

            @Override
            public void heartbeatTimeout(SoupBinTCPClient session) {
                isOver[0] = true;
            }

            @Override
            public void endOfSession(SoupBinTCPClient session) {
                System.out.println("end of session");
                isOver[0] = true;
            }
        };
        SoupBinTCPClient client = new SoupBinTCPClient(channel, this, status);
        SoupBinTCP.LoginRequest login = new SoupBinTCP.LoginRequest();
        login.setUsername("");
        login.setPassword("");
        login.setRequestedSession("");
        login.setRequestedSequenceNumber(sequence);
        client.login(login);
        while (!isOver[0] && (count == 0 || taken < count) && client.receive() >= 0) {
            client.keepAlive();
        }
        client.close();
    }

    @Override
    public void message(ByteBuffer message) throws java.io.IOException {
        counts.merge((char) message.get(message.position()), 1, Integer::sum);
        parser.message(message);
        taken++;
    }

    private void print() {
        counts.forEach((kind, count) -> System.out.println("count " + kind + " " + count));
        Map<String, long[]> levels = new TreeMap<>();
        for (Order order : orders.values()) {
            long[] level = levels.computeIfAbsent(order.symbol + " " + order.side + " " + order.price, k -> new long[2]);
            level[0] += order.shares;
            level[1]++;
        }
        levels.forEach((place, level) -> System.out.println("level " + place + " " + level[0] + " " + level[1]));
    }

    /** Handles the messages that change a book, and takes all others as they are. */
    private ITCH50Listener listener() {
        return (ITCH50Listener) Proxy.newProxyInstance(
            Driver.class.getClassLoader(), new Class<?>[] {ITCH50Listener.class}, (proxy, method, arguments) -> {
                take(arguments[0]);
                return null;
            });
    }

    private void take(Object message) {
        if (message instanceof ITCH50.AddOrder) {
            ITCH50.AddOrder add = (ITCH50.AddOrder) message;
            Order order = new Order();
            order.symbol = text(add.stock);
            order.side = (char) add.buySellIndicator;
            order.price = add.price;
            order.shares = add.shares;
            orders.put(add.orderReferenceNumber, order);
        } else if (message instanceof ITCH50.OrderExecuted) {
            ITCH50.OrderExecuted executed = (ITCH50.OrderExecuted) message;
            reduce(executed.orderReferenceNumber, executed.executedShares);
        } else if (message instanceof ITCH50.OrderExecutedWithPrice) {
            ITCH50.OrderExecutedWithPrice executed = (ITCH50.OrderExecutedWithPrice) message;
            reduce(executed.orderReferenceNumber, executed.executedShares);
        } else if (message instanceof ITCH50.OrderCancel) {
            ITCH50.OrderCancel cancel = (ITCH50.OrderCancel) message;
            reduce(cancel.orderReferenceNumber, cancel.canceledShares);
        } else if (message instanceof ITCH50.OrderDelete) {
            known(orders.remove(((ITCH50.OrderDelete) message).orderReferenceNumber));
        } else if (message instanceof ITCH50.OrderReplace) {
            ITCH50.OrderReplace replace = (ITCH50.OrderReplace) message;
            Order order = known(orders.remove(replace.originalOrderReferenceNumber));
            order.price = replace.price;
            order.shares = replace.shares;
            orders.put(replace.newOrderReferenceNumber, order);
        }
    }

    private void reduce(long reference, long shares) {
        Order order = known(orders.get(reference));
        order.shares -= shares;
        if (order.shares < 0) {
            throw new IllegalStateException("order " + reference + " has less than it gave");
        }
        if (order.shares == 0) {
            orders.remove(reference);
        }
    }

    private static Order known(Order order) {
        if (order == null) {
            throw new IllegalStateException("an order that does not rest");
        }
        return order;
    }

    private static String text(long packed) {
        return new String(ByteBuffer.allocate(8).putLong(packed).array(), java.nio.charset.StandardCharsets.US_ASCII).trim();
    }
}
