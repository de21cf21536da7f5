//! todo
use super::{Arguments, BadInput};
pub(super) fn run(_: &Arguments) -> Result<u8, BadInput> {
    Ok(0)
}
