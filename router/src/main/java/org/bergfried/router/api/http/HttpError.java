package org.bergfried.router.api.http;

import java.util.LinkedHashMap;
import java.util.Map;
import org.bergfried.contract.ClusterException;
import org.bergfried.contract.ErrorReason;
import org.bergfried.router.api.StrictJson;
import org.jspecify.annotations.Nullable;

/// An error as OpenAI's clients expect it.
///
/// @param status of the response.
/// @param code machine-readable: the name of an {@link ErrorReason}, or one of HTTP's own.
/// @param message for people.
/// @param param the field that is wrong, or null.
/// @param retryAfterSeconds when to ask again, or null.
record HttpError(
        int status,
        String code,
        String message,
        @Nullable String param,
        @Nullable String retryAfterSeconds) {
    static HttpError of(ClusterException error) {
        ErrorReason reason = error.reason();
        String retryAfter = error.metadata().get("retryAfterSeconds");
        boolean isTemporary = reason.httpStatus() == 503 && retryAfter == null;
        return new HttpError(
                reason.httpStatus(),
                reason.name(),
                error.text(),
                error.metadata().get("field"),
                isTemporary ? "1" : retryAfter);
    }

    static HttpError of(int status, String code, String message) {
        return new HttpError(status, code, message, null, null);
    }

    /// The body.
    byte[] json() {
        Map<String, @Nullable Object> inner = new LinkedHashMap<>();
        inner.put("message", message);
        inner.put("type", type());
        inner.put("param", param);
        inner.put("code", code);
        return StrictJson.MAPPER.writeValueAsBytes(Map.of("error", inner));
    }

    private String type() {
        return switch (status) {
            case 401 -> "authentication_error";
            case 403 -> "permission_error";
            case 429 -> "rate_limit_error";
            default -> status >= 500 ? "server_error" : "invalid_request_error";
        };
    }
}
