//! The table of orders and fills in SQLite: whole batches or nothing, with the position in the same transaction.

use std::borrow::Cow;
use std::time::Duration;

use rusqlite::{Connection, OpenFlags, OptionalExtension, Statement, ToSql};

use crate::envelope::{decode, Batch};
use crate::projection::{Changes, Fill, Kind, OrderChange, Placed, Prevented, Ruling, Update};
use crate::Error;

const BUSY: Duration = Duration::from_millis(5_000);
/// Pages of 4 KiB in the write-ahead log before they move into the file, with an fsync; as the definition has it.
const CHECKPOINT_PAGES: u32 = 8_192;
/// What of the file is kept in memory, in KiB: the pages of the last few hundred thousand commands.
const CACHE_KIB: i64 = 16 << 10;
const STATEMENTS_KEPT: usize = 16;

const ORDER_COLUMNS: &str =
    "order_id, account_id, symbol_id, client_order_id, leaves, ended, placed, filled, notional, \
    busted, reason, replaced_by, price, quantity, updated_ns, terms, triggered_ns";
const FILL_COLUMNS: &str =
    "account_id, match_id, side, order_id, symbol_id, price, quantity, maker, executed_ns";
const PREVENTED_COLUMNS: &str = "sequence, symbol_id, maker_order_id, taker_order_id, maker_account_id, \
    taker_account_id, price, quantity, taker_side, mode, at_ns";
const RULE: &str =
    "UPDATE fills SET price = coalesce(?, price), quantity = coalesce(?, quantity), state = ? \
    WHERE match_id = ? AND account_id IN (?, ?)";
const UPDATE_TRADED: &str =
    "UPDATE orders SET updated_ns = ?, leaves = coalesce(?, leaves), filled = filled + ?, \
    notional = notional + ?";
const UPDATE_CANCELLED: &str = ", ended = coalesce(?, ended), reason = coalesce(?, reason)";
const UPDATE_ANY: &str =
    ", busted = busted + ?, replaced_by = coalesce(?, replaced_by), price = coalesce(?, price), \
    quantity = coalesce(?, quantity), terms = coalesce(?, terms), triggered_ns = coalesce(?, triggered_ns)";
const WHICH: &str = " WHERE order_id = ?";

/// Writes a table of orders that the definition has made.
pub struct OrderTable {
    path: String,
    partition: u8,
    position: u64,
    connection: Connection,
    changes: Changes,
    statements: Statements,
}

impl OrderTable {
    /// Opens a table for the events of a partition; its layout has been looked at.
    pub fn open(path: &str, partition: u8) -> Result<Self, Error> {
        let opened = connect(path).and_then(|connection| {
            let position = position_of(&connection, partition)?.unwrap_or(0);
            Ok((connection, position))
        });
        let (connection, position) =
            opened.map_err(|error| Error::Store(format!("{path} cannot be opened: {error}")))?;
        let (changes, statements) = (Changes::default(), Statements::new());
        Ok(Self { path: path.into(), partition, position, connection, changes, statements })
    }

    /// The sequence of the last event that is in it.
    pub fn position(&self) -> u64 {
        self.position
    }

    /// Takes an envelope with the next run of events in.
    pub fn commit(&mut self, message: &[u8]) -> Result<(), Error> {
        let batch = decode(message)?;
        self.changes.project(batch.events)?;
        if let Err(error) = self.write(&batch) {
            if !self.connection.is_autocommit() {
                // Where this fails too, the connection's next BEGIN does, and says why.
                let _ = self.connection.execute_batch("ROLLBACK");
            }
            return Err(Error::Store(format!("{} cannot be written: {error}", self.path)));
        }
        self.position = batch.last_sequence();
        Ok(())
    }

    fn write(&mut self, batch: &Batch<'_>) -> Result<(), Failure> {
        self.connection.prepare_cached("BEGIN IMMEDIATE")?.raw_execute()?;
        if let Some(position) = position_of(&self.connection, self.partition)? {
            self.position = position;
        }
        if batch.count > 0 && self.position + 1 != batch.first_sequence {
            return Err(Failure::Elsewhere { position: self.position, first: batch.first_sequence });
        }
        self.write_changes(batch.events)?;
        self.connection.prepare_cached("INSERT OR REPLACE INTO position VALUES (?, ?, ?)")?.execute((
            self.partition,
            batch.epoch,
            batch.last_sequence() as i64,
        ))?;
        self.connection.prepare_cached("COMMIT")?.raw_execute()?;
        Ok(())
    }

    fn write_changes(&self, events: &[u8]) -> rusqlite::Result<()> {
        let (changes, connection) = (&self.changes, &self.connection);
        let new = changes.orders.iter().filter_map(|order| Some((order, order.placed.as_ref()?)));
        self.statements
            .orders
            .insert(connection, new, |row, (order, placed)| bind_order(row, events, order, placed))?;
        self.statements.fills.insert(connection, changes.fills.iter(), bind_fill)?;
        self.statements.prevented.insert(connection, changes.prevented.iter(), bind_prevented)?;
        for order in changes.orders.iter().filter(|order| order.placed.is_none()) {
            if let Some(update) = &order.update {
                self.update(events, order.order_id, update)?;
            }
        }
        changes.rulings.iter().try_for_each(|ruling| rule(connection, ruling))
    }

    fn update(&self, events: &[u8], order_id: u64, update: &Update) -> rusqlite::Result<()> {
        let mut statement = self.connection.prepare_cached(&self.statements.updates[update.kind as usize])?;
        let mut row = Row { statement: &mut statement, bound: 0 };
        row.bind(update.updated_ns as i64)?;
        row.bind(update.leaves)?;
        row.bind(update.filled)?;
        row.bind(update.notional)?;
        if update.kind >= Kind::Cancelled {
            row.bind(update.ended)?;
            row.bind(update.reason)?;
        }
        if update.kind == Kind::Any {
            row.bind(update.busted)?;
            row.bind(update.replaced_by.map(|id| id as i64))?;
            row.bind_last(events, update)?;
        }
        row.bind(order_id as i64)?;
        statement.raw_execute().map(drop)
    }
}

/// Why a batch was not written.
enum Failure {
    Sqlite(rusqlite::Error),
    /// The table is not where the events begin.
    Elsewhere {
        position: u64,
        first: u64,
    },
}

impl From<rusqlite::Error> for Failure {
    fn from(error: rusqlite::Error) -> Self {
        Self::Sqlite(error)
    }
}

impl std::fmt::Display for Failure {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Sqlite(error) => error.fmt(out),
            Self::Elsewhere { position, first } => write!(
                out,
                "another process wrote to it: it holds events up to {position}, and those that came begin with {first}"
            ),
        }
    }
}

fn connect(path: &str) -> rusqlite::Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags)?;
    connection.busy_timeout(BUSY)?;
    connection.pragma_update(None, "synchronous", "NORMAL")?;
    connection.pragma_update(None, "wal_autocheckpoint", CHECKPOINT_PAGES)?;
    connection.pragma_update(None, "cache_size", -CACHE_KIB)?;
    connection.set_prepared_statement_cache_capacity(STATEMENTS_KEPT);
    Ok(connection)
}

fn position_of(connection: &Connection, partition: u8) -> rusqlite::Result<Option<u64>> {
    let mut statement = connection.prepare_cached("SELECT sequence FROM position WHERE partition = ?")?;
    statement
        .query_row([partition], |row| row.get::<_, i64>(0))
        .optional()
        .map(|found| found.map(|at| at as u64))
}

struct Statements {
    orders: Insert,
    fills: Insert,
    prevented: Insert,
    /// By `Kind`.
    updates: [String; 3],
}

impl Statements {
    fn new() -> Self {
        Self {
            orders: Insert::new("orders", ORDER_COLUMNS),
            fills: Insert::new("fills", FILL_COLUMNS),
            prevented: Insert::new("prevented", PREVENTED_COLUMNS),
            updates: [
                [UPDATE_TRADED, WHICH].concat(),
                [UPDATE_TRADED, UPDATE_CANCELLED, WHICH].concat(),
                [UPDATE_TRADED, UPDATE_CANCELLED, UPDATE_ANY, WHICH].concat(),
            ],
        }
    }
}

/// Rows of one statement: few would open the indexes again and again.
const ROWS_PER_STATEMENT: usize = 64;

/// Inserts rows into a table, many at once and the last ones one by one.
struct Insert {
    many: String,
    one: String,
}

impl Insert {
    /// A row that cannot be inserted fails the batch, which is rolled back, so no statement needs a way back of its own.
    fn new(table: &str, columns: &str) -> Self {
        let places = vec!["?"; columns.split(',').count()].join(", ");
        let of = |rows: usize| {
            let values = vec![format!("({places})"); rows].join(", ");
            format!("INSERT OR FAIL INTO {table} ({columns}) VALUES {values}")
        };
        Self { many: of(ROWS_PER_STATEMENT), one: of(1) }
    }

    fn insert<T>(
        &self,
        connection: &Connection,
        rows: impl Iterator<Item = T> + Clone,
        bind: impl Fn(&mut Row<'_, '_>, T) -> rusqlite::Result<()>,
    ) -> rusqlite::Result<()> {
        let count = rows.clone().count();
        let mut rows = rows.into_iter();
        for (sql, size, times) in [
            (&self.many, ROWS_PER_STATEMENT, count / ROWS_PER_STATEMENT),
            (&self.one, 1, count % ROWS_PER_STATEMENT),
        ] {
            if times == 0 {
                continue;
            }
            let mut statement = connection.prepare_cached(sql)?;
            for _ in 0..times {
                let mut values = Row { statement: &mut statement, bound: 0 };
                rows.by_ref().take(size).try_for_each(|row| bind(&mut values, row))?;
                statement.raw_execute()?;
            }
        }
        Ok(())
    }
}

/// The values of a statement, one after the other.
struct Row<'a, 'c> {
    statement: &'a mut Statement<'c>,
    bound: usize,
}

impl Row<'_, '_> {
    #[inline]
    fn bind(&mut self, value: impl ToSql) -> rusqlite::Result<()> {
        self.bound += 1;
        self.statement.raw_bind_parameter(self.bound, value)
    }

    fn bind_last(&mut self, events: &[u8], update: &Update) -> rusqlite::Result<()> {
        self.bind(update.price)?;
        self.bind(update.quantity)?;
        self.bind(update.terms.clone().map(|span| &events[span]))?;
        self.bind(update.triggered_ns.map(|at| at as i64))
    }
}

/// An order that nothing happened to yet, or written with what happened to it: most of a busy stream live and die within
/// one run, and never enter the index of the open ones.
fn bind_order(
    row: &mut Row<'_, '_>,
    events: &[u8],
    order: &OrderChange,
    placed: &Placed,
) -> rusqlite::Result<()> {
    let untouched = Update::default();
    let update = order.update.as_ref().unwrap_or(&untouched);
    row.bind(order.order_id as i64)?;
    row.bind(placed.account_id)?;
    row.bind(placed.symbol_id)?;
    row.bind(text(&events[placed.client_order_id.clone()]))?;
    row.bind(update.leaves.unwrap_or(placed.leaves))?;
    row.bind(update.ended.unwrap_or(placed.ended))?;
    row.bind(&events[placed.record.clone()])?;
    row.bind(update.filled)?;
    row.bind(update.notional)?;
    row.bind(update.busted)?;
    row.bind(update.reason.unwrap_or(0))?;
    row.bind(update.replaced_by.unwrap_or(0) as i64)?;
    row.bind(update.price)?;
    row.bind(update.quantity)?;
    row.bind(order.update.as_ref().map(|update| update.updated_ns as i64))?;
    row.bind(update.terms.clone().map(|span| &events[span]))?;
    row.bind(update.triggered_ns.map(|at| at as i64))
}

fn bind_fill(row: &mut Row<'_, '_>, fill: &Fill) -> rusqlite::Result<()> {
    row.bind(fill.account_id)?;
    row.bind(fill.match_id as i64)?;
    row.bind(fill.side)?;
    row.bind(fill.order_id as i64)?;
    row.bind(fill.symbol_id)?;
    row.bind(fill.price)?;
    row.bind(fill.quantity)?;
    row.bind(fill.is_maker)?;
    row.bind(fill.executed_ns as i64)
}

fn bind_prevented(row: &mut Row<'_, '_>, prevented: &Prevented) -> rusqlite::Result<()> {
    row.bind(prevented.sequence as i64)?;
    row.bind(prevented.symbol_id)?;
    row.bind(prevented.order_ids[0] as i64)?;
    row.bind(prevented.order_ids[1] as i64)?;
    row.bind(prevented.account_ids[0])?;
    row.bind(prevented.account_ids[1])?;
    row.bind(prevented.price)?;
    row.bind(prevented.quantity)?;
    row.bind(prevented.taker_side)?;
    row.bind(prevented.mode)?;
    row.bind(prevented.at_ns as i64)
}

fn rule(connection: &Connection, ruling: &Ruling) -> rusqlite::Result<()> {
    let (price, quantity) = ruling.corrected.unzip();
    let [buyer, seller] = ruling.accounts;
    let values = (price, quantity, ruling.state(), ruling.match_id as i64, buyer, seller);
    connection.prepare_cached(RULE)?.execute(values).map(drop)
}

/// A client order id; what is no ASCII can only be one that was refused.
fn text(bytes: &[u8]) -> Cow<'_, str> {
    match std::str::from_utf8(bytes) {
        Ok(text) if bytes.is_ascii() => Cow::Borrowed(text),
        _ => bytes.iter().map(|&byte| if byte.is_ascii() { byte as char } else { '\u{FFFD}' }).collect(),
    }
}
