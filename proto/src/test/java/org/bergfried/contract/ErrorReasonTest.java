package org.bergfried.contract;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.grpc.Status;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

final class ErrorReasonTest {
    @ParameterizedTest
    @EnumSource
    void namesAnExistingGrpcCodeAndAnHttpError(ErrorReason reason) {
        assertEquals(reason.grpcCode(), Status.Code.valueOf(reason.grpcCode()).name());
        assertTrue(reason.httpStatus() >= 400 && reason.httpStatus() < 600, reason::name);
    }

    @ParameterizedTest
    @CsvSource({
        "INVALID_REQUEST, INVALID_ARGUMENT, 400",
        "CONTEXT_TOO_LONG, INVALID_ARGUMENT, 400",
        "UNAUTHENTICATED, UNAUTHENTICATED, 401",
        "FORBIDDEN, PERMISSION_DENIED, 403",
        "GENERATION_NOT_FOUND, NOT_FOUND, 404",
        "MODEL_UNSUPPORTED, FAILED_PRECONDITION, 400",
        "SESSION_FORKED, ABORTED, 409",
        "STALE_PLAN, FAILED_PRECONDITION, 409",
        "TOO_LARGE, INVALID_ARGUMENT, 413",
        "CANCELLED, CANCELLED, 499",
        "QUEUE_FULL, RESOURCE_EXHAUSTED, 429",
        "DEADLINE, DEADLINE_EXCEEDED, 504",
        "WORKER_LOST, UNAVAILABLE, 503",
        "WEIGHTS_CORRUPT, DATA_LOSS, 500",
        "NONFINITE_OUTPUT, INTERNAL, 500"
    })
    void mapsAsTheConventionsSay(ErrorReason reason, String grpcCode, int httpStatus) {
        assertEquals(List.of(grpcCode, httpStatus), List.of(reason.grpcCode(), reason.httpStatus()));
    }

    @Test
    void onlyOverloadAndUnavailabilityAreWorthARetry() {
        Set<String> codes = Arrays.stream(ErrorReason.values())
                .filter(ErrorReason::retryable)
                .map(ErrorReason::grpcCode)
                .collect(Collectors.toSet());
        assertEquals(Set.of("RESOURCE_EXHAUSTED", "UNAVAILABLE"), codes);
    }
}
