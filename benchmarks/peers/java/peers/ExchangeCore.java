package peers;

import exchange.core2.collections.objpool.ObjectsPool;
import exchange.core2.core.common.CoreSymbolSpecification;
import exchange.core2.core.common.MatcherEventType;
import exchange.core2.core.common.MatcherTradeEvent;
import exchange.core2.core.common.OrderAction;
import exchange.core2.core.common.OrderType;
import exchange.core2.core.common.SymbolType;
import exchange.core2.core.common.cmd.CommandResultCode;
import exchange.core2.core.common.cmd.OrderCommand;
import exchange.core2.core.common.cmd.OrderCommandType;
import exchange.core2.core.common.config.LoggingConfiguration;
import exchange.core2.core.orderbook.IOrderBook;
import exchange.core2.core.orderbook.OrderBookDirectImpl;
import exchange.core2.core.orderbook.OrderBookEventsHelper;

/** Drives the "Direct" order book of exchange-core, as its own module benchmark does: no risk engine, no disruptor. */
public final class ExchangeCore {
    private static final long UID = 1;

    private final OrderCommand command = new OrderCommand();
    private Fills fills = new Fills();

    private void cancel(IOrderBook book, long orderId) {
        command.command = OrderCommandType.CANCEL_ORDER;
        command.orderId = orderId;
        run(book);
    }

    private void enter(IOrderBook book, long orderId, boolean isBuy, long price, long quantity) {
        command.command = OrderCommandType.PLACE_ORDER;
        command.orderType = OrderType.GTC;
        command.orderId = orderId;
        command.action = isBuy ? OrderAction.BID : OrderAction.ASK;
        command.price = price;
        command.reserveBidPrice = price;
        command.size = quantity;
        run(book);
    }

    private void run(IOrderBook book) {
        command.uid = UID;
        command.resultCode = CommandResultCode.VALID_FOR_MATCHING_ENGINE;
        command.matcherEvent = null;
        if (IOrderBook.processCommand(book, command) != CommandResultCode.SUCCESS) {
            fills.rejects++;
        }
        for (MatcherTradeEvent event = command.matcherEvent; event != null; event = event.nextEvent) {
            if (event.eventType == MatcherEventType.TRADE) {
                fills.fill(event.matchedOrderId, command.orderId, event.price, event.size);
            }
        }
    }

    private void apply(IOrderBook[] books, Messages m, int from, int to) {
        for (int n = from; n < to; n++) {
            IOrderBook book = books[m.symbol[n]];
            if (m.type[n] != Messages.ADD) {
                cancel(book, m.reference[n]);
            }
            if (m.type[n] != Messages.CANCEL) {
                enter(book, m.id[n], m.isBuy[n], m.price[n], m.quantity[n]);
            }
        }
    }

    private static IOrderBook newBook(int symbol) {
        CoreSymbolSpecification specification = CoreSymbolSpecification.builder().symbolId(symbol)
                .type(SymbolType.CURRENCY_EXCHANGE_PAIR).baseCurrency(1).quoteCurrency(2).baseScaleK(1).quoteScaleK(1)
                .build();
        return new OrderBookDirectImpl(specification, ObjectsPool.createDefaultTestPool(),
                OrderBookEventsHelper.NON_POOLED_EVENTS_HELPER, LoggingConfiguration.DEFAULT);
    }

    public static void main(String[] arguments) throws Exception {
        Messages messages = new Messages(arguments[0], Integer.parseInt(arguments[1]));
        for (int pass = 0; pass < Integer.parseInt(arguments[2]); pass++) {
            ExchangeCore driver = new ExchangeCore();
            IOrderBook[] books = new IOrderBook[messages.symbols];
            for (int symbol = 0; symbol < books.length; symbol++) {
                books[symbol] = newBook(symbol);
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
