//! todo
use super::text::Detail;
use super::View;
/// todo
pub fn html(_views: &[View], _detail: Detail) -> String {
    String::new()
}
