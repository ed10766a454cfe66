package org.bergfried.contract.rpc;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.protobuf.Any;
import com.google.rpc.ErrorInfo;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.protobuf.StatusProto;
import java.util.Map;
import javax.net.ssl.SSLHandshakeException;
import org.bergfried.contract.ClusterException;
import org.bergfried.contract.ErrorReason;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

final class StatusesTest {
    @ParameterizedTest
    @EnumSource
    void everyReasonSurvivesTheWire(ErrorReason reason) {
        var sent = new ClusterException(reason, "the queue holds 64 requests", Map.of("retryAfterSeconds", "2"));
        StatusRuntimeException onTheWire = Statuses.toStatus(sent);
        assertEquals(reason.grpcCode(), onTheWire.getStatus().getCode().name());
        ClusterException received = Statuses.toException(onTheWire);
        assertEquals(reason, received.reason());
        assertEquals(sent.text(), received.text());
        assertEquals(sent.metadata(), received.metadata());
        assertEquals(
                received.reason(),
                Statuses.toException(Statuses.toStatus(received)).reason());
    }

    @Test
    void theDetailIsGoogleErrorInfoOfOurDomain() throws Exception {
        var status = StatusProto.fromThrowable(Statuses.toStatus(new ClusterException(ErrorReason.DRAINING, "bye")));
        ErrorInfo detail =
                java.util.Objects.requireNonNull(status).getDetails(0).unpack(ErrorInfo.class);
        assertEquals("bergfried", detail.getDomain());
        assertEquals("DRAINING", detail.getReason());
    }

    @Test
    void aBugLeaksNothing() {
        StatusRuntimeException sent = Statuses.toStatus(new IllegalStateException("the prompt was: my password is x"));
        assertEquals(Status.Code.INTERNAL, sent.getStatus().getCode());
        assertFalse(String.valueOf(sent.getStatus().getDescription()).contains("password"));
        assertEquals(ErrorReason.INTERNAL, Statuses.toException(sent).reason());
    }

    @ParameterizedTest
    @CsvSource({
        "UNAVAILABLE, WORKER_LOST",
        "DEADLINE_EXCEEDED, DEADLINE",
        "CANCELLED, CANCELLED",
        "RESOURCE_EXHAUSTED, TOO_LARGE",
        "UNIMPLEMENTED, NOT_IMPLEMENTED",
        "PERMISSION_DENIED, FORBIDDEN",
        "UNAUTHENTICATED, UNAUTHENTICATED",
        "INVALID_ARGUMENT, INVALID_REQUEST",
        "UNKNOWN, INTERNAL"
    })
    void aTransportsOwnStatusIsJudgedByItsCode(Status.Code code, ErrorReason reason) {
        ClusterException received = Statuses.toException(
                code.toStatus().withDescription("as netty says").asRuntimeException());
        assertEquals(reason, received.reason());
        assertTrue(received.text().contains("as netty says"), received.text());
    }

    @Test
    void namesTheRootCauseOfAFailedHandshake() {
        var cause = new java.io.IOException("closed", new SSLHandshakeException("No name matching w1 found"));
        var received = Statuses.toException(Status.UNAVAILABLE
                .withDescription("io exception")
                .withCause(cause)
                .asRuntimeException());
        assertTrue(received.text().contains("TLS: No name matching w1 found"), received.text());
    }

    @Test
    void aForeignDomainAndAReasonOfANewerVersionAreJudgedByTheirCode() {
        for (ErrorInfo info : new ErrorInfo[] {
            ErrorInfo.newBuilder().setDomain("other").setReason("DRAINING").build(),
            ErrorInfo.newBuilder()
                    .setDomain("bergfried")
                    .setReason("FROM_THE_FUTURE")
                    .build()
        }) {
            var sent = StatusProto.toStatusRuntimeException(com.google.rpc.Status.newBuilder()
                    .setCode(Status.Code.DEADLINE_EXCEEDED.value())
                    .addDetails(Any.pack(info))
                    .build());
            assertEquals(ErrorReason.DEADLINE, Statuses.toException(sent).reason());
        }
    }

    @Test
    void longTextsAreClippedToFitTheTrailers() {
        var sent = new ClusterException(ErrorReason.INTERNAL, "x".repeat(100_000), Map.of("key", "y".repeat(5000)));
        ClusterException received = Statuses.toException(Statuses.toStatus(sent));
        assertTrue(received.text().length() <= 2048 && received.text().endsWith("..."));
        assertEquals(256, String.valueOf(received.metadata().get("key")).length());
    }

    @Test
    void anOperatingErrorIsItself() {
        var known = new ClusterException(ErrorReason.DEADLINE, "late");
        assertSame(known, Statuses.toException(known));
    }
}
