//! Any bytes read as any command record: an answer or `Malformed`, never a panic.
#![no_main]

use exchange_wire::commands::{
    is_command, AmendOrder, CancelOrder, Command, EnterOrder, Header, ReplaceOrder,
};
use exchange_wire::COMMAND_HEADER_BYTES;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let Some(header) = Header::read(data) else { return };
    let body = &data[COMMAND_HEADER_BYTES..];
    let _ = (EnterOrder::read(body).is_ok(), ReplaceOrder::read(body).is_ok());
    let _ = (CancelOrder::read(body).is_ok(), AmendOrder::read(body).is_ok());
    if is_command(header.number) {
        let _ = Command::read(header.number, data).is_ok();
    }
});
