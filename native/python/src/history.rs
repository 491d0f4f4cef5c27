//! The writer of the table of orders for Python: converts, and nothing else.

use std::sync::Mutex;

use exchange_history::{Error, OrderTable as Table};
use pyo3::exceptions::{PyOSError, PyValueError};
use pyo3::prelude::*;

/// A table of orders to write; other Python threads run meanwhile.
#[pyclass(frozen, module = "exchange_native")]
pub struct OrderTable(Mutex<Table>);

#[pymethods]
impl OrderTable {
    #[new]
    fn new(py: Python<'_>, path: &str, partition: u8) -> PyResult<Self> {
        py.detach(|| Table::open(path, partition)).map(|table| Self(Mutex::new(table))).map_err(failed)
    }

    fn commit(&self, py: Python<'_>, message: &[u8]) -> PyResult<()> {
        py.detach(|| self.0.lock().expect("an earlier call broke the table's writer").commit(message))
            .map_err(failed)
    }
}

/// What is no envelope is told apart from what the file did not take.
fn failed(error: Error) -> PyErr {
    match error {
        Error::Malformed(what) => PyValueError::new_err(what),
        Error::Store(what) => PyOSError::new_err(what),
    }
}
