//! Running an operation's future on the current thread.

use std::task::{Context, Poll, Waker};

use futures_util::future::BoxFuture;

use crate::StoreError;
use crate::transaction::Transaction;

/// Polls an operation once. Statements on SQLite are ready at once, so an operation that is
/// not finished after one poll waits for something that does not belong into a transaction:
/// that is an error, and so is a success after a statement has failed.
pub(super) fn poll_once<T, E>(
    operation: &(impl for<'t> Fn(&'t mut Transaction) -> BoxFuture<'t, Result<T, E>> + ?Sized),
    transaction: &mut Transaction,
) -> Result<T, E>
where
    E: From<StoreError>,
{
    let polled = {
        let mut future = operation(transaction);
        let mut context = Context::from_waker(Waker::noop());
        future.as_mut().poll(&mut context)
    };
    match (polled, transaction.failure()) {
        (Poll::Pending, _) => Err(E::from(StoreError::Other(
            "the operation awaited something other than its transaction".to_owned(),
        ))),
        (Poll::Ready(Ok(_)), Some(failure)) => Err(E::from(failure.clone())),
        (Poll::Ready(result), _) => result,
    }
}
