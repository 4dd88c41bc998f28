//! What a client may ask, one function a call, taking [`Parameters`] and giving JSON: REST and the
//! WebSocket API are two doors to the same functions. Refuses to know either door.

mod account;
mod amend;
mod cancel;
mod control;
mod exchange_info;
mod history;
mod keys;
mod list_orders;
mod lists;
mod market;
mod new_order;
mod order_json;
mod orders;
mod placed;
mod records;
mod rehearsal;
mod replace;
mod rules;
mod statement;
mod terms;
mod tickers;
mod trade;
mod wallet;
mod weight;
mod windows;

pub(crate) use statement::content_type as statement_type;
pub(crate) use weight::weight;

use crate::{
    Gateway,
    dialect::{DialectError, Parameters, submit_error},
    past::Past,
    session_orders::in_session,
    views::{Directory, Listing, Market, TimeUnit},
};
use accounts::{ApiKey, Scopes, SignedRequest, timing::Timing};
use exchange_info::SymbolStatus;
use protocol::{AccountId, Time, command::Command, instrument::Name, terms::Contingency};
use serde::Serialize;
use services::Answer;
use std::sync::Arc;

/// A call of the dialect, by whichever door.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Call {
    ListKeys,
    CreateKey,
    ChangeKey,
    RotateKey,
    RevokeKey,
    Ping,
    Time,
    ExchangeInfo,
    Depth,
    Trades,
    HistoricalTrades,
    AggregateTrades,
    Klines,
    Ticker24Hours,
    TickerPrice,
    TickerBook,
    AveragePrice,
    RollingTicker,
    TradingDayTicker,
    ExecutionRules,
    ReferencePrice,
    ReferencePriceCalculation,
    BlockTrades,
    PlaceOrder,
    CreateOrder,
    ListOrders,
    CancelNamedOrder,
    CancelTimer,
    KillSwitch,
    TestOrder,
    PlaceOcoOldForm,
    PlaceOco,
    PlaceOto,
    PlaceOtoco,
    CancelList,
    QueryList,
    OpenLists,
    AllLists,
    QueryOrder,
    CancelOrder,
    CancelReplace,
    AmendOrder,
    OpenOrders,
    CancelOpenOrders,
    AllOrders,
    Account,
    MyTrades,
    OrderRateLimits,
    Commission,
    Statement,
    PreventedMatches,
    Amendments,
    Allocations,
    MyFilters,
    SystemStatus,
    Coins,
    TradeFee,
    ApiRestrictions,
    AccountStatus,
    TradingStatus,
    UserAssets,
    NoTransfers,
    DepositAddress,
    Withdraw,
    ListenKey,
    EmptyList,
    EmptyExchangeInfo,
    NotSupported,
}

/// Who may make a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Access {
    /// Anyone.
    Public,
    /// Whoever signs with a key of these scopes.
    Signed(Scopes),
}

impl Call {
    /// Who may make it.
    pub(crate) const fn access(self) -> Access {
        match self {
            Self::Ping
            | Self::Time
            | Self::ExchangeInfo
            | Self::Depth
            | Self::Trades
            | Self::HistoricalTrades
            | Self::AggregateTrades
            | Self::Klines
            | Self::Ticker24Hours
            | Self::TickerPrice
            | Self::TickerBook
            | Self::AveragePrice
            | Self::RollingTicker
            | Self::TradingDayTicker
            | Self::ExecutionRules
            | Self::ReferencePrice
            | Self::ReferencePriceCalculation
            | Self::BlockTrades
            | Self::SystemStatus
            | Self::ListenKey
            | Self::EmptyList
            | Self::EmptyExchangeInfo
            | Self::NotSupported => Access::Public,
            Self::ListKeys | Self::CreateKey | Self::ChangeKey | Self::RotateKey | Self::RevokeKey => {
                Access::Signed(Scopes::KEYS)
            }
            Self::PlaceOrder
            | Self::CreateOrder
            | Self::CancelNamedOrder
            | Self::CancelTimer
            | Self::KillSwitch
            | Self::TestOrder
            | Self::PlaceOcoOldForm
            | Self::PlaceOco
            | Self::PlaceOto
            | Self::PlaceOtoco
            | Self::CancelList
            | Self::CancelOrder
            | Self::CancelReplace
            | Self::AmendOrder
            | Self::CancelOpenOrders => Access::Signed(Scopes::TRADE),
            Self::QueryOrder
            | Self::ListOrders
            | Self::QueryList
            | Self::OpenLists
            | Self::AllLists
            | Self::OpenOrders
            | Self::AllOrders
            | Self::Account
            | Self::MyTrades
            | Self::OrderRateLimits
            | Self::Commission
            | Self::Statement
            | Self::PreventedMatches
            | Self::Amendments
            | Self::Allocations
            | Self::MyFilters
            | Self::Coins
            | Self::TradeFee
            | Self::ApiRestrictions
            | Self::AccountStatus
            | Self::TradingStatus
            | Self::UserAssets
            | Self::NoTransfers
            | Self::DepositAddress => Access::Signed(Scopes::READ),
            Self::Withdraw => Access::Signed(Scopes::WITHDRAW),
        }
    }
}

impl Call {
    /// Whether it counts against how many orders an account may place.
    pub(crate) const fn places_orders(self) -> bool {
        matches!(
            self,
            Self::PlaceOrder
                | Self::CreateOrder
                | Self::CancelReplace
                | Self::PlaceOcoOldForm
                | Self::PlaceOco
                | Self::PlaceOto
                | Self::PlaceOtoco
        )
    }
}

/// Who makes a signed call.
#[derive(Clone, Debug)]
pub(crate) struct Caller {
    /// The key that signed it.
    pub(crate) key: Arc<ApiKey>,
    /// The account that the key acts for.
    pub(crate) account: AccountId,
    /// Until when the request is good; `None` in a logged-on session without a timestamp.
    pub(crate) timing: Option<Timing>,
    /// The request, where it is to be carried out once; `None` where it may come twice, and in a session.
    pub(crate) request: Option<SignedRequest>,
}

/// A call with all that it may look at.
#[derive(Debug)]
pub(crate) struct Request<'a> {
    /// The exchange as the gateway sees it.
    pub(crate) gateway: &'a Gateway,
    /// What the client sent.
    pub(crate) parameters: &'a Parameters<'a>,
    /// Who asks; `None` for public calls.
    pub(crate) caller: Option<Caller>,
    /// The session that its orders are to end with; `None` for orders that stay.
    pub(crate) session: Option<u64>,
    /// In what unit to tell times.
    pub(crate) unit: TimeUnit,
    /// When it came.
    pub(crate) now: Time,
    /// Follows it to the last consumer of what it does.
    pub(crate) trace: u64,
    /// What may be traded, as of then.
    pub(crate) directory: Arc<Directory>,
}

/// An answer's JSON text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Json(pub(crate) String);

impl Json {
    /// Writes a value.
    pub(crate) fn of(value: &impl Serialize) -> Self {
        Self(serde_json::to_string(value).expect("answers have text keys and no fallible parts"))
    }

    /// An array of answers.
    pub(crate) fn list(rows: &[Self]) -> Self {
        let rows: Vec<&str> = rows.iter().map(|row| row.0.as_str()).collect();
        Self(format!("[{}]", rows.join(",")))
    }

    /// `{}`.
    pub(crate) fn empty_object() -> Self {
        Self("{}".to_owned())
    }
}

/// What is said to those who ask for a listen key.
const LISTEN_KEY_GONE: &str =
    "Listen keys are no longer in use; subscribe by userDataStream.subscribe.signature of the WebSocket API.";

/// What a call gives.
pub(crate) type Reply = Result<Json, DialectError>;

/// Answers a call.
pub(crate) async fn answer(call: Call, request: &Request<'_>) -> Reply {
    match call {
        Call::Ping => Ok(Json::empty_object()),
        Call::Time => Ok(market::time(request)),
        Call::ExchangeInfo => exchange_info::exchange_info(request),
        Call::Depth => market::depth(request),
        Call::Trades => market::trades(request).await,
        Call::HistoricalTrades => market::historical_trades(request).await,
        Call::AggregateTrades => market::aggregate_trades(request).await,
        Call::Klines => market::klines(request).await,
        Call::Ticker24Hours => tickers::day(request),
        Call::TickerPrice => tickers::last(request),
        Call::TickerBook => tickers::book(request),
        Call::AveragePrice => tickers::average_price(request),
        Call::RollingTicker => windows::rolling(request),
        Call::TradingDayTicker => windows::trading_day(request),
        Call::ExecutionRules => rules::execution_rules(request),
        Call::ReferencePrice => rules::reference_price(request),
        Call::ReferencePriceCalculation => rules::reference_price_calculation(request),
        Call::BlockTrades => market::block_trades(request),
        Call::PlaceOrder => orders::place(request).await,
        Call::CreateOrder => trade::create_order(request).await,
        Call::ListOrders => trade::list(request).await,
        Call::CancelTimer => control::cancel_timer(request).await,
        Call::KillSwitch => control::kill_switch(request).await,
        Call::CancelNamedOrder => trade::cancel_order(request).await,
        Call::PlaceOcoOldForm => lists::place_old_form(request).await,
        Call::PlaceOco => lists::place(request, Contingency::OneCancelsOther).await,
        Call::PlaceOto => lists::place(request, Contingency::OneTriggersOther).await,
        Call::PlaceOtoco => lists::place(request, Contingency::OneTriggersOneCancelsOther).await,
        Call::CancelList => lists::cancel(request).await,
        Call::QueryList => lists::query(request).await,
        Call::OpenLists => lists::open(request).await,
        Call::AllLists => lists::all(request).await,
        Call::TestOrder => orders::test(request),
        Call::QueryOrder => orders::query(request).await,
        Call::CancelOrder => cancel::cancel(request).await,
        Call::CancelReplace => replace::cancel_replace(request).await,
        Call::AmendOrder => amend::amend(request).await,
        Call::OpenOrders => orders::open(request),
        Call::CancelOpenOrders => cancel::cancel_all(request).await,
        Call::AllOrders => history::all_orders(request).await,
        Call::MyTrades => history::my_trades(request).await,
        Call::Account => account::account(request),
        Call::OrderRateLimits => account::order_rate_limits(request),
        Call::Commission => account::commission(request),
        Call::Statement => statement::statement(request).await,
        Call::PreventedMatches => records::prevented_matches(request).await,
        Call::Amendments => records::amendments(request).await,
        Call::Allocations => records::allocations(request),
        Call::MyFilters => records::my_filters(request),
        Call::SystemStatus => Ok(wallet::system_status()),
        Call::Coins => wallet::coins(request),
        Call::TradeFee => wallet::trade_fee(request),
        Call::ApiRestrictions => wallet::api_restrictions(request),
        Call::ListKeys => keys::list(request).await,
        Call::CreateKey => keys::create(request).await,
        Call::ChangeKey => keys::change(request).await,
        Call::RotateKey => keys::rotate(request).await,
        Call::RevokeKey => keys::revoke(request).await,
        Call::AccountStatus => wallet::account_status(request),
        Call::TradingStatus => wallet::trading_status(request),
        Call::UserAssets => wallet::user_assets(request),
        Call::NoTransfers => wallet::no_transfers(request),
        Call::DepositAddress => wallet::deposit_address(request),
        Call::Withdraw => wallet::withdraw(request),
        Call::ListenKey => Err(DialectError::gone(LISTEN_KEY_GONE)),
        Call::EmptyList => Ok(Json("[]".to_owned())),
        Call::EmptyExchangeInfo => Ok(exchange_info::empty(request)),
        Call::NotSupported => Err(DialectError::unknown_path()),
    }
}

impl Request<'_> {
    /// The same request with other parameters.
    fn with<'p>(&'p self, parameters: &'p Parameters<'p>) -> Request<'p> {
        Request {
            gateway: self.gateway,
            parameters,
            caller: self.caller.clone(),
            session: self.session,
            unit: self.unit,
            now: self.now,
            trace: self.trace,
            directory: Arc::clone(&self.directory),
        }
    }

    /// Who asks. A signed call has a caller; one without is refused all the same.
    fn caller(&self) -> Result<&Caller, DialectError> {
        self.caller.as_ref().ok_or_else(DialectError::unauthorized)
    }

    /// The instrument that the mandatory `symbol` names.
    fn listing(&self) -> Result<Arc<Listing>, DialectError> {
        self.listing_named(self.parameters.required("symbol")?)
    }

    /// The instrument that `symbol` names, if it was sent.
    fn optional_listing(&self) -> Result<Option<Arc<Listing>>, DialectError> {
        self.parameters.text("symbol").map(|symbol| self.listing_named(symbol)).transpose()
    }

    fn listing_named(&self, symbol: &str) -> Result<Arc<Listing>, DialectError> {
        if Name::parse(symbol).is_none() {
            return Err(DialectError::illegal_characters("symbol", "^[A-Z0-9-_.]{1,20}$"));
        }
        self.directory.listing_named(symbol).cloned().ok_or_else(DialectError::symbol)
    }

    /// The instruments that `symbols` names, if it was sent.
    fn listings(&self) -> Result<Option<Vec<Arc<Listing>>>, DialectError> {
        let Some(symbols) = self.parameters.list("symbols")? else { return Ok(None) };
        if self.parameters.has("symbol") {
            return Err(DialectError::optional_combination());
        }
        symbols.iter().map(|symbol| self.listing_named(symbol)).collect::<Result<_, _>>().map(Some)
    }

    /// Which status `symbolStatus` asks for.
    fn symbol_status(&self) -> Result<SymbolStatus, DialectError> {
        SymbolStatus::parse(self.parameters.text("symbolStatus"))
    }

    /// What is past, wherever it is kept.
    fn past(&self) -> Past<'_> {
        Past(&self.gateway.views)
    }

    fn market(&self, listing: &Listing) -> Result<Arc<Market>, DialectError> {
        self.gateway.views.market(listing.id()).ok_or_else(DialectError::symbol)
    }

    /// Counts orders that the caller is about to place, or says that it has placed too many.
    fn take_orders(&self, number: u32) -> Result<(), DialectError> {
        let taken = self.gateway.limiter.take_orders(self.caller()?.account, number, self.now);
        taken.map_err(|exceeded| exceeded.told(self.now))
    }

    /// Hands a command to the engine and waits for its answer, unless the request has become too old
    /// meanwhile (dialect §2.3).
    async fn submit(&self, command: &Command) -> Result<Answer, DialectError> {
        if let Some(timing) = self.caller.as_ref().and_then(|caller| caller.timing) {
            timing
                .check_at(self.gateway.now().micros())
                .map_err(crate::dialect::authentication::timing_error)?;
        }
        let trace = self.trace;
        let commands = &self.gateway.commands;
        let submitted = match self.session {
            Some(session) => commands.submit(&in_session(command, session), trace),
            None => commands.submit(command, trace),
        };
        let pending = submitted.map_err(submit_error)?;
        pending.await.map_err(submit_error)
    }
}
