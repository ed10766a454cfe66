package org.bergfried.router.api.admin;

import java.util.Map;
import org.bergfried.contract.ClusterException;
import org.bergfried.contract.ErrorReason;

/// Checks what an operator gives as the reason of a change.
final class Reasons {
    private static final int CHARS_MAX = 500;

    private Reasons() {}

    /// The reason without blanks around it.
    ///
    /// @throws ClusterException INVALID_REQUEST if there is none, or it does not fit a line of the log.
    static String checked(String reason) {
        String text = reason.strip();
        if (text.isEmpty()) {
            throw invalid("is missing; say why, so that others can understand the change later");
        }
        if (text.length() > CHARS_MAX) {
            throw invalid("has " + text.length() + " characters; the limit is " + CHARS_MAX);
        }
        if (text.chars().anyMatch(c -> Character.isISOControl(c) || c == '"' || c == 0x2028 || c == 0x2029)) {
            throw invalid("has a quotation mark or a control character; write one plain line");
        }
        return text;
    }

    private static ClusterException invalid(String what) {
        return new ClusterException(ErrorReason.INVALID_REQUEST, "reason " + what, Map.of("field", "reason"));
    }
}
