//! What AWS said, in one line for people.

use std::error::Error;
use std::fmt::Write;

use aws_sdk_s3::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_s3::operation::RequestId;

/// The service's own code and message with the id by which AWS finds the request; or, where no service
/// answered, every cause from the outermost to the innermost. (The SDK's own `DisplayErrorContext` adds
/// its whole inner state.)
pub(crate) fn said<E>(error: &SdkError<E>) -> String
where
    E: ProvideErrorMetadata + Error + 'static,
    SdkError<E>: RequestId,
{
    if let Some(answer) = error.as_service_error() {
        let code = answer.code().unwrap_or("an error without a code");
        let mut text = format!("{code}: {}", answer.message().unwrap_or("no message"));
        if let Some(id) = error.request_id() {
            text.push_str(" (request ");
            text.push_str(id);
            text.push(')');
        }
        return text;
    }
    causes(error)
}

/// Every cause, from the outermost to the innermost.
pub(crate) fn causes(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        let said = inner.to_string();
        if !text.ends_with(&said) && write!(text, ": {said}").is_err() {
            break;
        }
        cause = inner.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use aws_sdk_s3::error::ErrorMetadata;
    use aws_sdk_s3::operation::get_object::GetObjectError;

    use super::*;

    #[test]
    fn what_no_service_answered_is_told_with_all_its_causes() {
        let inner = std::io::Error::other("connection refused");
        let error: SdkError<GetObjectError> = SdkError::construction_failure(inner);
        assert_eq!(said(&error), "failed to construct request: connection refused");
    }

    #[test]
    fn a_service_s_answer_is_told_by_its_code_and_message() {
        let metadata =
            ErrorMetadata::builder().code("SlowDown").message("Reduce your rate").build();
        let error = GetObjectError::generic(metadata);
        let raw = aws_sdk_s3::config::http::HttpResponse::new(
            503.try_into().expect("a status"),
            aws_sdk_s3::primitives::SdkBody::empty(),
        );
        assert_eq!(said(&SdkError::service_error(error, raw)), "SlowDown: Reduce your rate");
    }
}
