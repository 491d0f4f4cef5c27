//! Command records: their types, their header, and their bodies as they lie in bytes.

use crate::allocation::Allocation;
use crate::events::Kind;
use crate::listed::{listed_orders, EnterOrderList, EnterPeggedOrder};
use crate::quotes::{CancelQuotes, MassQuote, Protection, SetQuoteProtection};
use crate::reader::{unpadded, Malformed, Reader};
use crate::terms::Terms;
use crate::{ClientOrderId, COMMAND_HEADER_BYTES, RECORD_BYTES_MAX};

pub const START_ENGINE: u8 = 1;
pub const TICK: u8 = 2;
pub const START_BUSINESS_DAY: u8 = 3;
pub const ADD_SYMBOL: u8 = 10;
pub const SET_SYMBOL_STATE: u8 = 11;
pub const SET_REFERENCE_PRICE: u8 = 12;
pub const CONFIGURE_SYMBOL: u8 = 13;
pub const SPLIT_SYMBOL: u8 = 14;
pub const RENAME_SYMBOL: u8 = 15;
pub const PAY_DIVIDEND: u8 = 16;
pub const SET_SHORT_SALE_TERMS: u8 = 17;
pub const CREATE_PARTICIPANT: u8 = 20;
pub const CREATE_ACCOUNT: u8 = 21;
pub const CREATE_KEY: u8 = 22;
pub const REVOKE_KEY: u8 = 23;
pub const DEPOSIT: u8 = 30;
pub const WITHDRAW: u8 = 31;
pub const ENTER_ORDER: u8 = 40;
pub const CANCEL_ORDER: u8 = 41;
pub const AMEND_ORDER: u8 = 42;
pub const REPLACE_ORDER: u8 = 43;
pub const CANCEL_ORDERS: u8 = 44;
pub const BUST_TRADE: u8 = 50;
pub const CORRECT_TRADE: u8 = 51;
pub const CONFIGURE_RULE: u8 = 60;
pub const CONFIRM_CONFIGURATION: u8 = 61;
pub const ENTER_SPECIAL_ORDER: u8 = 62;
pub const SET_MARKET_PROTECTION: u8 = 63;
pub const SET_SELF_TRADE_PREVENTION: u8 = 64;
pub const SET_PHASE: u8 = 85;
pub const SCHEDULE_PHASE: u8 = 86;
pub const CLEAR_SCHEDULE: u8 = 87;
pub const SET_AUCTION_TERMS: u8 = 88;
pub const HALT_TRADING: u8 = 89;
pub const RESUME_TRADING: u8 = 90;
pub const SET_PRICE_BANDS: u8 = 91;
pub const SET_PRICE_CORRIDOR: u8 = 92;
pub const SET_MARKET_BREAKER: u8 = 93;
pub const REPORT_INDEX_LEVEL: u8 = 94;
pub const CANCEL_ORDERS_WITHIN: u8 = 70;
pub const SET_CANCEL_TIMER: u8 = 71;
pub const BLOCK_TRADING: u8 = 72;
pub const UNBLOCK_TRADING: u8 = 73;
pub const SET_RISK_LIMIT: u8 = 74;
pub const SET_ALLOCATION: u8 = 65;
pub const ENTER_ORDER_LIST: u8 = 75;
pub const RESERVE_ORDER_ID: u8 = 76;
pub const ENTER_PEGGED_ORDER: u8 = 77;
pub const MASS_QUOTE: u8 = 78;
pub const CANCEL_QUOTES: u8 = 79;
pub const SET_QUOTE_PROTECTION: u8 = 80;
pub const RESET_QUOTE_PROTECTION: u8 = 81;

/// Whether a record type is a command.
pub fn is_command(number: u8) -> bool {
    matches!(number, 1..=3 | 10..=17 | 20..=23 | 30 | 31 | 40..=44 | 50 | 51 | 60..=65 | 70..=81 | 85..=94)
}

/// The body of an entry or replacement before its client order id: the same body means the same order.
pub const BODY_BYTES: usize = 20;
pub type Body = [u8; BODY_BYTES];

/// What stands before the body of a command.
#[derive(Clone, Copy)]
pub struct Header {
    pub length: usize,
    pub number: u8,
    pub version: u8,
    pub sequence: u64,
}

impl Header {
    #[inline(always)]
    pub fn read(bytes: &[u8]) -> Option<Self> {
        let header = bytes.first_chunk::<COMMAND_HEADER_BYTES>()?;
        let mut reader = Reader::new(header);
        let length = reader.u32().ok()? as usize;
        let number = reader.u8().ok()?;
        let version = reader.u8().ok()?;
        let _flags_and_partition = reader.u16().ok()?;
        Some(Self { length, number, version, sequence: reader.u64().ok()? })
    }
}

pub struct EnterOrder {
    pub account_id: u32,
    pub symbol_id: u32,
    pub kind: Kind,
    pub price: u32,
    pub quantity: u32,
    pub client_order_id: ClientOrderId,
    pub body: Body,
}

impl EnterOrder {
    pub const BYTES: usize = COMMAND_HEADER_BYTES + 56;

    #[inline(always)]
    pub fn read(body: &[u8]) -> Result<Self, Malformed> {
        let mut reader = Reader::new(body);
        let start: Body = Reader::new(body).array()?;
        let (account_id, symbol_id) = (reader.u32()?, reader.u32()?);
        let [side, order_type, time_in_force, flags] = reader.array()?;
        let kind = Kind { side, order_type, time_in_force, flags };
        let (price, quantity) = (reader.u32()?, reader.u32()?);
        Ok(Self {
            account_id,
            symbol_id,
            kind,
            price,
            quantity,
            client_order_id: reader.array()?,
            body: start,
        })
    }
}

/// An entry with special terms. Its `body` is not yet that by which it is known when it comes again.
pub struct EnterSpecialOrder {
    pub entry: EnterOrder,
    pub terms: Terms,
}

impl EnterSpecialOrder {
    pub const BYTES: usize = EnterOrder::BYTES + Terms::BYTES;

    pub fn read(body: &[u8]) -> Result<Self, Malformed> {
        let entry = EnterOrder::read(body)?;
        let mut reader = Reader::new(&body[EnterOrder::BYTES - COMMAND_HEADER_BYTES..]);
        Ok(Self { entry, terms: Terms::read(&mut reader)? })
    }
}

pub struct CancelOrder {
    pub order_id: u64,
    pub participant_id: u32,
}

impl CancelOrder {
    pub const BYTES: usize = COMMAND_HEADER_BYTES + 12;

    #[inline(always)]
    pub fn read(body: &[u8]) -> Result<Self, Malformed> {
        let mut reader = Reader::new(body);
        Ok(Self { order_id: reader.u64()?, participant_id: reader.u32()? })
    }
}

pub struct AmendOrder {
    pub order_id: u64,
    pub participant_id: u32,
    pub price: u32,
    pub quantity: u32,
}

impl AmendOrder {
    pub const BYTES: usize = COMMAND_HEADER_BYTES + 20;

    #[inline(always)]
    pub fn read(body: &[u8]) -> Result<Self, Malformed> {
        let mut reader = Reader::new(body);
        let (order_id, participant_id) = (reader.u64()?, reader.u32()?);
        Ok(Self { order_id, participant_id, price: reader.u32()?, quantity: reader.u32()? })
    }
}

pub struct ReplaceOrder {
    pub amend: AmendOrder,
    pub client_order_id: ClientOrderId,
    pub body: Body,
}

impl ReplaceOrder {
    pub const BYTES: usize = COMMAND_HEADER_BYTES + 56;

    #[inline(always)]
    pub fn read(body: &[u8]) -> Result<Self, Malformed> {
        let mut reader = Reader::new(body);
        let start: Body = reader.array()?;
        Ok(Self { amend: AmendOrder::read(&start)?, client_order_id: reader.array()?, body: start })
    }
}

pub struct CancelOrders {
    pub participant_id: u32,
    pub account_id: u32,
    pub symbol_id: u32,
    pub side: u8,
    /// (lowest, highest), where it names prices; 0 as the highest is any above.
    pub prices: Option<(u32, u32)>,
}

/// The kill switch, pulled or lifted. cancels_orders: of no meaning where it is lifted.
pub struct Switch<'a> {
    pub scope: u8,
    pub subject_id: u32,
    pub key_id: u32,
    pub role: u8,
    pub cancels_orders: bool,
    pub note: &'a str,
}

/// A limit set, or taken away.
pub struct SetRiskLimit {
    pub scope: u8,
    pub subject_id: u32,
    pub symbol_id: u32,
    pub kind: u8,
    pub is_set: bool,
    pub value: i64,
    pub span: u32,
}

/// Cash or shares into an account or out of it.
pub struct Movement {
    pub account_id: u32,
    pub symbol_id: u32,
    pub amount: i64,
}

pub struct AddSymbol<'a> {
    pub symbol: &'a [u8],
    pub reference_price: u32,
    pub round_lot: u32,
    pub state: u8,
    pub name: &'a str,
    /// (from price, tick)
    pub ticks: Vec<(u32, u32)>,
}

/// What a version of the configuration wants of a symbol; what is 0 or empty stays as it is.
pub struct ConfigureSymbol<'a> {
    pub configuration_version: u32,
    pub terms: AddSymbol<'a>,
}

/// So many new shares for so many old ones.
#[derive(Clone, Copy)]
pub struct SplitSymbol<'a> {
    pub symbol_id: u32,
    pub new_shares: u16,
    pub old_shares: u16,
    pub cash_price: u32,
    pub note: &'a str,
}

/// Another ticker, and another name where it is not empty.
#[derive(Clone, Copy)]
pub struct RenameSymbol<'a> {
    pub symbol_id: u32,
    pub symbol: &'a [u8],
    pub name: &'a str,
}

/// Money per share.
#[derive(Clone, Copy)]
pub struct PayDividend<'a> {
    pub symbol_id: u32,
    pub amount: u32,
    pub note: &'a str,
}

/// What is asked of short sales: the decline that restricts them, 0 for none, a locate, a mark.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub struct ShortSaleTerms {
    pub trigger_bps: u16,
    pub needs_locate: bool,
    pub needs_marking: bool,
}

/// A rule for clearing. number: 1 to count, or 0 of 0.
pub struct ConfigureRule<'a> {
    pub configuration_version: u32,
    pub number: u16,
    pub count: u16,
    pub rules_version: u32,
    pub text: &'a str,
}

pub struct ConfirmConfiguration<'a> {
    pub configuration_version: u32,
    pub key_id: u32,
    pub approver_key_id: u32,
    pub sha256: [u8; 32],
    pub note: &'a str,
}

pub struct CreateKey<'a> {
    pub participant_id: u32,
    pub role: u8,
    pub sha256: [u8; 32],
    pub label: &'a str,
}

/// A phase that is to begin at a time, or by chance up to `random_ns_max` later.
pub struct SchedulePhase {
    pub symbol_id: u32,
    pub phase: u8,
    pub at_ns: u64,
    pub random_ns_max: u64,
    pub seed: u64,
}

/// How an auction's price is checked.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub struct AuctionTerms {
    pub collar_bps: u16,
    pub extension_ns: u64,
    pub extensions_max: u8,
}

/// How a symbol's corridor stands.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub struct CorridorTerms {
    pub dynamic_bps: u16,
    pub static_bps: u16,
    pub call_ns: u64,
    pub random_ns_max: u64,
}

/// The end of a halt, by a call of `call_ns` or up to `random_ns_max` longer.
pub struct ResumeTrading<'a> {
    pub symbol_id: u32,
    pub call_ns: u64,
    pub random_ns_max: u64,
    pub seed: u64,
    pub reason: &'a str,
}

/// A ruling on a trade with the trade's facts.
#[derive(Clone, Copy)]
pub struct Ruling {
    pub match_id: u64,
    pub symbol_id: u32,
    pub price: u32,
    pub quantity: u32,
    pub buy_account_id: u32,
    pub sell_account_id: u32,
    pub buy_order_id: u64,
    pub sell_order_id: u64,
    pub executed_ns: u64,
    pub ruling_id: u64,
    pub reason: u8,
}

/// The commands other than those of one order.
pub enum Command<'a> {
    StartEngine { epoch: u32 },
    Tick,
    StartBusinessDay { date: u32, ends_ns: u64 },
    AddSymbol(AddSymbol<'a>),
    SetSymbolState { symbol_id: u32, state: u8, reason: &'a str },
    SetReferencePrice { symbol_id: u32, reference_price: u32 },
    SetMarketProtection { symbol_id: u32, protection_bps: u16 },
    SetSelfTradePrevention { participant_id: u32, group: u32, mode: u8 },
    SetAllocation { symbol_id: u32, allocation: Allocation },
    CreateParticipant { name: &'a str },
    CreateAccount { participant_id: u32, name: &'a str },
    CreateKey(CreateKey<'a>),
    RevokeKey { key_id: u32 },
    Deposit(Movement),
    Withdraw(Movement),
    ReserveOrderId,
    MassQuote(MassQuote),
    CancelQuotes(CancelQuotes),
    SetQuoteProtection(SetQuoteProtection),
    ResetQuoteProtection { account_id: u32, symbol_id: u32 },
    EnterPeggedOrder(EnterPeggedOrder<'a>),
    EnterOrderList(EnterOrderList<'a>),
    CancelOrders(CancelOrders),
    SetCancelTimer { participant_id: u32, timeout_ms: u32 },
    BlockTrading(Switch<'a>),
    UnblockTrading(Switch<'a>),
    SetRiskLimit(SetRiskLimit),
    BustTrade(Ruling),
    CorrectTrade { ruling: Ruling, new_price: u32, new_quantity: u32 },
    ConfigureSymbol(ConfigureSymbol<'a>),
    ConfigureRule(ConfigureRule<'a>),
    ConfirmConfiguration(ConfirmConfiguration<'a>),
    SetPhase { symbol_id: u32, phase: u8, reason: &'a str },
    SchedulePhase(SchedulePhase),
    ClearSchedule { symbol_id: u32 },
    SetAuctionTerms { symbol_id: u32, terms: AuctionTerms },
    SetPriceBands { symbol_id: u32, tier: u8 },
    SetPriceCorridor { symbol_id: u32, terms: CorridorTerms, seed: u64 },
    SetMarketBreaker { close_level: u64 },
    ReportIndexLevel { level: u64 },
    HaltTrading { symbol_id: u32, reason: &'a str },
    ResumeTrading(ResumeTrading<'a>),
    SplitSymbol(SplitSymbol<'a>),
    RenameSymbol(RenameSymbol<'a>),
    PayDividend(PayDividend<'a>),
    SetShortSaleTerms { symbol_id: u32, terms: ShortSaleTerms },
}

impl<'a> Command<'a> {
    /// Reads the body of a whole record of a known type and version.
    pub fn read(number: u8, record: &'a [u8]) -> Result<Self, Malformed> {
        if record.len() > RECORD_BYTES_MAX {
            return Err(Malformed);
        }
        let mut r = Reader::new(record.get(COMMAND_HEADER_BYTES..).ok_or(Malformed)?);
        let command = match number {
            START_ENGINE => Self::StartEngine { epoch: r.u32()? },
            TICK => Self::Tick,
            START_BUSINESS_DAY => Self::StartBusinessDay { date: r.u32()?, ends_ns: r.u64()? },
            ADD_SYMBOL => Self::AddSymbol(add_symbol(&mut r)?),
            SET_SYMBOL_STATE => {
                let (symbol_id, state) = (r.u32()?, r.u8()?);
                Self::SetSymbolState { symbol_id, state, reason: text_with_size(&mut r)? }
            }
            SET_REFERENCE_PRICE => Self::SetReferencePrice { symbol_id: r.u32()?, reference_price: r.u32()? },
            SET_MARKET_PROTECTION => {
                Self::SetMarketProtection { symbol_id: r.u32()?, protection_bps: r.u16()? }
            }
            SET_SELF_TRADE_PREVENTION => {
                let (participant_id, group) = (r.u32()?, r.u32()?);
                Self::SetSelfTradePrevention { participant_id, group, mode: r.u8()? }
            }
            SET_ALLOCATION => {
                Self::SetAllocation { symbol_id: r.u32()?, allocation: Allocation::read(&mut r)? }
            }
            CREATE_PARTICIPANT => Self::CreateParticipant { name: text_with_size(&mut r)? },
            CREATE_ACCOUNT => Self::CreateAccount { participant_id: r.u32()?, name: text_with_size(&mut r)? },
            CREATE_KEY => {
                let (participant_id, role, sha256) = (r.u32()?, r.u8()?, r.array()?);
                let label = text_with_size(&mut r)?;
                Self::CreateKey(CreateKey { participant_id, role, sha256, label })
            }
            REVOKE_KEY => Self::RevokeKey { key_id: r.u32()? },
            DEPOSIT => Self::Deposit(movement(&mut r)?),
            WITHDRAW => Self::Withdraw(movement(&mut r)?),
            MASS_QUOTE => Self::MassQuote(MassQuote::read(&mut r)?),
            CANCEL_QUOTES => Self::CancelQuotes(CancelQuotes {
                participant_id: r.u32()?,
                account_id: r.u32()?,
                symbol_id: r.u32()?,
            }),
            SET_QUOTE_PROTECTION => Self::SetQuoteProtection(SetQuoteProtection {
                account_id: r.u32()?,
                symbol_id: r.u32()?,
                limits: Protection::read(&mut r)?,
            }),
            RESET_QUOTE_PROTECTION => {
                Self::ResetQuoteProtection { account_id: r.u32()?, symbol_id: r.u32()? }
            }
            ENTER_PEGGED_ORDER => Self::EnterPeggedOrder(EnterPeggedOrder::read(&mut r)?),
            RESERVE_ORDER_ID => Self::ReserveOrderId,
            ENTER_ORDER_LIST => {
                let body = r.rest();
                Self::EnterOrderList(EnterOrderList {
                    account_id: r.u32()?,
                    symbol_id: r.u32()?,
                    contingency: r.u8()?,
                    orders: listed_orders(&mut r)?,
                    body,
                })
            }
            CANCEL_ORDERS => Self::CancelOrders(cancel_orders(&mut r)?),
            CANCEL_ORDERS_WITHIN => {
                let any = cancel_orders(&mut r)?;
                Self::CancelOrders(CancelOrders { prices: Some((r.u32()?, r.u32()?)), ..any })
            }
            SET_CANCEL_TIMER => Self::SetCancelTimer { participant_id: r.u32()?, timeout_ms: r.u32()? },
            BLOCK_TRADING => Self::BlockTrading(switch(&mut r, true)?),
            UNBLOCK_TRADING => Self::UnblockTrading(switch(&mut r, false)?),
            SET_RISK_LIMIT => Self::SetRiskLimit(SetRiskLimit {
                scope: r.u8()?,
                subject_id: r.u32()?,
                symbol_id: r.u32()?,
                kind: r.u8()?,
                is_set: r.u8()? != 0,
                value: r.i64()?,
                span: r.u32()?,
            }),
            BUST_TRADE => Self::BustTrade(ruling(&mut r)?),
            CORRECT_TRADE => {
                Self::CorrectTrade { ruling: ruling(&mut r)?, new_price: r.u32()?, new_quantity: r.u32()? }
            }
            CONFIGURE_SYMBOL => {
                let configuration_version = r.u32()?;
                Self::ConfigureSymbol(ConfigureSymbol { configuration_version, terms: add_symbol(&mut r)? })
            }
            CONFIGURE_RULE => {
                let (configuration_version, number, count) = (r.u32()?, r.u16()?, r.u16()?);
                let (rules_version, text) = (r.u32()?, text_with_size(&mut r)?);
                let rule = ConfigureRule { configuration_version, number, count, rules_version, text };
                Self::ConfigureRule(rule)
            }
            CONFIRM_CONFIGURATION => {
                let (configuration_version, key_id, approver_key_id) = (r.u32()?, r.u32()?, r.u32()?);
                let (sha256, note) = (r.array()?, text_with_size(&mut r)?);
                Self::ConfirmConfiguration(ConfirmConfiguration {
                    configuration_version,
                    key_id,
                    approver_key_id,
                    sha256,
                    note,
                })
            }
            SET_PHASE => {
                let (symbol_id, phase) = (r.u32()?, r.u8()?);
                Self::SetPhase { symbol_id, phase, reason: text_with_size(&mut r)? }
            }
            SCHEDULE_PHASE => Self::SchedulePhase(SchedulePhase {
                symbol_id: r.u32()?,
                phase: r.u8()?,
                at_ns: r.u64()?,
                random_ns_max: r.u64()?,
                seed: r.u64()?,
            }),
            CLEAR_SCHEDULE => Self::ClearSchedule { symbol_id: r.u32()? },
            SET_AUCTION_TERMS => {
                Self::SetAuctionTerms { symbol_id: r.u32()?, terms: AuctionTerms::read(&mut r)? }
            }
            SET_PRICE_BANDS => Self::SetPriceBands { symbol_id: r.u32()?, tier: r.u8()? },
            SET_PRICE_CORRIDOR => Self::SetPriceCorridor {
                symbol_id: r.u32()?,
                terms: CorridorTerms::read(&mut r)?,
                seed: r.u64()?,
            },
            SET_MARKET_BREAKER => Self::SetMarketBreaker { close_level: r.u64()? },
            REPORT_INDEX_LEVEL => Self::ReportIndexLevel { level: r.u64()? },
            HALT_TRADING => Self::HaltTrading { symbol_id: r.u32()?, reason: text_with_size(&mut r)? },
            RESUME_TRADING => Self::ResumeTrading(ResumeTrading {
                symbol_id: r.u32()?,
                call_ns: r.u64()?,
                random_ns_max: r.u64()?,
                seed: r.u64()?,
                reason: text_with_size(&mut r)?,
            }),
            SPLIT_SYMBOL => Self::SplitSymbol(SplitSymbol {
                symbol_id: r.u32()?,
                new_shares: r.u16()?,
                old_shares: r.u16()?,
                cash_price: r.u32()?,
                note: text_with_size(&mut r)?,
            }),
            RENAME_SYMBOL => {
                let (symbol_id, symbol) = (r.u32()?, ticker(&mut r)?);
                Self::RenameSymbol(RenameSymbol { symbol_id, symbol, name: text_with_size(&mut r)? })
            }
            SET_SHORT_SALE_TERMS => {
                Self::SetShortSaleTerms { symbol_id: r.u32()?, terms: ShortSaleTerms::read(&mut r)? }
            }
            PAY_DIVIDEND => {
                let (symbol_id, amount) = (r.u32()?, r.u32()?);
                Self::PayDividend(PayDividend { symbol_id, amount, note: text_with_size(&mut r)? })
            }
            _ => return Err(Malformed),
        };
        r.end()?;
        Ok(command)
    }
}

impl AuctionTerms {
    pub fn read(reader: &mut Reader) -> Result<Self, Malformed> {
        Ok(Self { collar_bps: reader.u16()?, extension_ns: reader.u64()?, extensions_max: reader.u8()? })
    }
}

impl CorridorTerms {
    pub fn read(reader: &mut Reader) -> Result<Self, Malformed> {
        Ok(Self {
            dynamic_bps: reader.u16()?,
            static_bps: reader.u16()?,
            call_ns: reader.u64()?,
            random_ns_max: reader.u64()?,
        })
    }

    /// As the terms lie in commands and events.
    pub fn bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::from(self.dynamic_bps.to_le_bytes());
        bytes.extend(self.static_bps.to_le_bytes());
        bytes.extend(self.call_ns.to_le_bytes());
        bytes.extend(self.random_ns_max.to_le_bytes());
        bytes
    }
}

impl ShortSaleTerms {
    pub fn read(reader: &mut Reader) -> Result<Self, Malformed> {
        let trigger_bps = reader.u16()?;
        Ok(Self { trigger_bps, needs_locate: reader.u8()? != 0, needs_marking: reader.u8()? != 0 })
    }

    pub fn bytes(&self) -> [u8; 4] {
        let [low, high] = self.trigger_bps.to_le_bytes();
        [low, high, self.needs_locate.into(), self.needs_marking.into()]
    }
}

fn text_with_size<'a>(reader: &mut Reader<'a>) -> Result<&'a str, Malformed> {
    let size = reader.u16()?;
    reader.text(size.into())
}

fn cancel_orders(reader: &mut Reader) -> Result<CancelOrders, Malformed> {
    let (participant_id, account_id) = (reader.u32()?, reader.u32()?);
    let (symbol_id, side) = (reader.u32()?, reader.u8()?);
    Ok(CancelOrders { participant_id, account_id, symbol_id, side, prices: None })
}

fn switch<'a>(reader: &mut Reader<'a>, is_pulled: bool) -> Result<Switch<'a>, Malformed> {
    let (scope, subject_id) = (reader.u8()?, reader.u32()?);
    let (key_id, role) = (reader.u32()?, reader.u8()?);
    let cancels_orders = is_pulled && reader.u8()? != 0;
    Ok(Switch { scope, subject_id, key_id, role, cancels_orders, note: text_with_size(reader)? })
}

fn movement(reader: &mut Reader) -> Result<Movement, Malformed> {
    Ok(Movement { account_id: reader.u32()?, symbol_id: reader.u32()?, amount: reader.i64()? })
}

fn ticker<'a>(reader: &mut Reader<'a>) -> Result<&'a [u8], Malformed> {
    let symbol = unpadded(reader.bytes(8)?);
    if symbol.is_ascii() {
        Ok(symbol)
    } else {
        Err(Malformed)
    }
}

fn add_symbol<'a>(reader: &mut Reader<'a>) -> Result<AddSymbol<'a>, Malformed> {
    let symbol = ticker(reader)?;
    let (reference_price, round_lot, state) = (reader.u32()?, reader.u32()?, reader.u8()?);
    let (name_bytes, rows) = (reader.u16()?, reader.u16()?);
    let name = reader.text(name_bytes.into())?;
    let mut ticks = Vec::new();
    for _ in 0..rows {
        ticks.push((reader.u32()?, reader.u32()?));
    }
    Ok(AddSymbol { symbol, reference_price, round_lot, state, name, ticks })
}

fn ruling(reader: &mut Reader) -> Result<Ruling, Malformed> {
    Ok(Ruling {
        match_id: reader.u64()?,
        symbol_id: reader.u32()?,
        price: reader.u32()?,
        quantity: reader.u32()?,
        buy_account_id: reader.u32()?,
        sell_account_id: reader.u32()?,
        buy_order_id: reader.u64()?,
        sell_order_id: reader.u64()?,
        executed_ns: reader.u64()?,
        ruling_id: reader.u64()?,
        reason: reader.u8()?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_with_a_byte_too_many_or_too_few_is_malformed() {
        let mut record = vec![0; COMMAND_HEADER_BYTES];
        record.extend([7, 0, 0, 0]);
        assert!(matches!(Command::read(START_ENGINE, &record), Ok(Command::StartEngine { epoch: 7 })));
        assert!(Command::read(START_ENGINE, &record[..19]).is_err());
        record.push(0);
        assert!(Command::read(START_ENGINE, &record).is_err());
    }

    #[test]
    fn a_text_must_be_utf_8() {
        let mut record = vec![0; COMMAND_HEADER_BYTES];
        record.extend([1, 0, b'a']);
        assert!(Command::read(CREATE_PARTICIPANT, &record).is_ok());
        *record.last_mut().unwrap() = 0xFF;
        assert!(Command::read(CREATE_PARTICIPANT, &record).is_err());
    }
}
