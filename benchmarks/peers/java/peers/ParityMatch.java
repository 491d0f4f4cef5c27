package peers;

import com.paritytrading.parity.match.OrderBook;
import com.paritytrading.parity.match.OrderBookListener;
import com.paritytrading.parity.match.Side;

/** Drives parity-match: one order book per symbol, a listener that counts fills. */
public final class ParityMatch implements OrderBookListener {
    private Fills fills = new Fills();

    @Override
    public void match(long restingId, long incomingId, Side incomingSide, long price, long executed, long left) {
        fills.fill(restingId, incomingId, price, executed);
    }

    @Override
    public void add(long orderId, Side side, long price, long size) {
    }

    @Override
    public void cancel(long orderId, long canceledQuantity, long remainingQuantity) {
    }

    private void apply(OrderBook[] books, Messages m, int from, int to) {
        for (int n = from; n < to; n++) {
            OrderBook book = books[m.symbol[n]];
            if (m.type[n] != Messages.ADD) {
                book.cancel(m.reference[n], 0);
            }
            if (m.type[n] != Messages.CANCEL) {
                book.enter(m.id[n], m.isBuy[n] ? Side.BUY : Side.SELL, m.price[n], m.quantity[n]);
            }
        }
    }

    public static void main(String[] arguments) throws Exception {
        Messages messages = new Messages(arguments[0], Integer.parseInt(arguments[1]));
        for (int pass = 0; pass < Integer.parseInt(arguments[2]); pass++) {
            ParityMatch driver = new ParityMatch();
            OrderBook[] books = new OrderBook[messages.symbols];
            for (int symbol = 0; symbol < books.length; symbol++) {
                books[symbol] = new OrderBook(driver);
            }
            driver.apply(books, messages, 0, messages.prefill);
            driver.fills = new Fills();
            System.gc();
            long started = System.nanoTime();
            driver.apply(books, messages, messages.prefill, messages.count);
            driver.fills.print(System.nanoTime() - started);
        }
    }
}
