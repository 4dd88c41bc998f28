package rialto.bench.peer;

import exchange.core2.core.common.CoreSymbolSpecification;
import exchange.core2.core.common.MatcherEventType;
import exchange.core2.core.common.MatcherTradeEvent;
import exchange.core2.core.common.OrderAction;
import exchange.core2.core.common.OrderType;
import exchange.core2.core.common.SymbolType;
import exchange.core2.core.common.cmd.CommandResultCode;
import exchange.core2.core.common.cmd.OrderCommand;
import exchange.core2.core.common.cmd.OrderCommandType;
import exchange.core2.core.common.config.ExchangeConfiguration;
import exchange.core2.core.common.config.OrdersProcessingConfiguration;
import exchange.core2.core.orderbook.IOrderBook;
import exchange.core2.core.orderbook.OrderBookDirectImpl;
import exchange.core2.core.processors.MatchingEngineRouter;
import exchange.core2.core.processors.RiskEngine;
import exchange.core2.core.processors.SharedPool;
import exchange.core2.core.processors.journaling.DummySerializationProcessor;
import java.lang.reflect.Method;

/**
 * exchange-core's whole pipeline on the calling thread, without its ring: risk check and hold, matching, settlement.
 * Spot symbols, one quote currency and a base currency for each symbol; maker and taker fees are on; every user has
 * ample balances. One command object is used again and again, as its ring would.
 *
 * <p>A replace that keeps its id changes the price alone: exchange-core's own move, half as fast again as a cancel and
 * a new order. A buy order may only move up to the price it reserved for, so every buy reserves at the highest price;
 * that costs no time. A replace under a new id is a cancel and a new order.
 */
final class Pipeline {
    private static final int QUOTE_CURRENCY = 1;
    private static final int FIRST_BASE_CURRENCY = 2;
    private static final long AMPLE = 1_000_000_000_000_000L;
    private static final long HIGHEST_PRICE = 65_535;

    private final RiskEngine risk;
    private final MatchingEngineRouter matching;
    private final OrderCommand command = new OrderCommand();
    private long sequence;

    long trades;
    long quantity;
    long notional;

    Pipeline(int symbols, int users) throws ReflectiveOperationException {
        SharedPool pool = SharedPool.createTestSharedPool();
        ExchangeConfiguration configuration = ExchangeConfiguration.defaultBuilder()
                .ordersProcessingCfg(OrdersProcessingConfiguration.builder()
                        .riskProcessingMode(OrdersProcessingConfiguration.RiskProcessingMode.FULL_PER_CURRENCY)
                        .marginTradingMode(OrdersProcessingConfiguration.MarginTradingMode.MARGIN_TRADING_DISABLED)
                        .build())
                .build();
        risk = new RiskEngine(0, 1, DummySerializationProcessor.INSTANCE, pool, configuration);
        matching = new MatchingEngineRouter(
                0, 1, DummySerializationProcessor.INSTANCE, OrderBookDirectImpl::new, pool, configuration);
        addSymbols(symbols);
        addUsers(users, symbols);
    }

    private void addSymbols(int symbols) throws ReflectiveOperationException {
        // Symbols otherwise come in as a serialised binary command; the effect is the same.
        Method addSymbol = MatchingEngineRouter.class.getDeclaredMethod("addSymbol", CoreSymbolSpecification.class);
        addSymbol.setAccessible(true);
        for (int symbol = 0; symbol < symbols; symbol++) {
            CoreSymbolSpecification specification = CoreSymbolSpecification.builder()
                    .symbolId(symbol)
                    .type(SymbolType.CURRENCY_EXCHANGE_PAIR)
                    .baseCurrency(FIRST_BASE_CURRENCY + symbol)
                    .quoteCurrency(QUOTE_CURRENCY)
                    .baseScaleK(1)
                    .quoteScaleK(100)
                    .takerFee(2)
                    .makerFee(1)
                    .build();
            risk.getSymbolSpecificationProvider().addSymbol(specification);
            addSymbol.invoke(matching, specification);
        }
    }

    private void addUsers(int users, int symbols) {
        for (int user = 0; user < users; user++) {
            require(risk.getUserProfileService().addEmptyUserProfile(user), "adding user " + user);
            long transaction = 1;
            for (int currency = QUOTE_CURRENCY; currency < FIRST_BASE_CURRENCY + symbols; currency++) {
                CommandResultCode result =
                        risk.getUserProfileService().balanceAdjustment(user, currency, AMPLE, transaction++);
                require(result == CommandResultCode.SUCCESS, "funding user " + user + ": " + result);
            }
        }
    }

    /** Applies commands {@code from} (included) to {@code to} (excluded) of the stream. */
    void apply(int[] fields, int from, int to) {
        for (int index = from; index < to; index++) {
            int at = index * StreamFile.FIELDS;
            int operation = fields[at + StreamFile.OPERATION];
            switch (operation & 0xff) {
                case StreamFile.LIMIT:
                    place(fields, at, fields[at + StreamFile.ORDER], OrderType.GTC);
                    break;
                case StreamFile.IMMEDIATE:
                    place(fields, at, fields[at + StreamFile.ORDER], OrderType.IOC);
                    break;
                case StreamFile.CANCEL:
                    cancel(fields, at);
                    break;
                default:
                    replace(fields, at);
            }
        }
    }

    private void replace(int[] fields, int at) {
        int order = fields[at + StreamFile.ORDER];
        int newOrder = fields[at + StreamFile.NEW_ORDER];
        if (order == newOrder) {
            command.command = OrderCommandType.MOVE_ORDER;
            command.price = fields[at + StreamFile.PRICE];
            address(fields, at, order);
            run();
        } else {
            cancel(fields, at);
            place(fields, at, newOrder, OrderType.GTC);
        }
    }

    private void cancel(int[] fields, int at) {
        command.command = OrderCommandType.CANCEL_ORDER;
        address(fields, at, fields[at + StreamFile.ORDER]);
        run();
    }

    private void place(int[] fields, int at, int order, OrderType type) {
        command.command = OrderCommandType.PLACE_ORDER;
        command.orderType = type;
        command.action = fields[at + StreamFile.OPERATION] >> 8 == 0 ? OrderAction.BID : OrderAction.ASK;
        command.price = fields[at + StreamFile.PRICE];
        command.reserveBidPrice = HIGHEST_PRICE;
        command.size = fields[at + StreamFile.QUANTITY];
        address(fields, at, order);
        run();
    }

    private void address(int[] fields, int at, int order) {
        command.symbol = fields[at + StreamFile.SYMBOL];
        command.uid = fields[at + StreamFile.USER];
        command.orderId = order;
    }

    private void run() {
        command.matcherEvent = null;
        command.resultCode = CommandResultCode.NEW;
        long at = sequence++;
        risk.preProcessCommand(at, command);
        matching.processOrder(at, command);
        if (command.resultCode != CommandResultCode.SUCCESS) {
            throw new IllegalStateException("exchange-core refused " + command);
        }
        risk.handlerRiskRelease(at, command);
        for (MatcherTradeEvent event = command.matcherEvent; event != null; event = event.nextEvent) {
            if (event.eventType == MatcherEventType.TRADE) {
                trades++;
                quantity += event.size;
                notional += event.size * event.price;
            }
        }
    }

    /** Orders resting in all books. */
    long liveOrders() {
        long live = 0;
        for (IOrderBook book : matching.getOrderBooks()) {
            live += book.getOrdersNum(OrderAction.ASK) + book.getOrdersNum(OrderAction.BID);
        }
        return live;
    }

    private static void require(boolean holds, String what) {
        if (!holds) {
            throw new IllegalStateException("exchange-core refused " + what);
        }
    }
}
