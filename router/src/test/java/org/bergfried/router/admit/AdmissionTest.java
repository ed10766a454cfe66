package org.bergfried.router.admit;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.util.ArrayList;
import java.util.List;
import org.bergfried.contract.ClusterException;
import org.bergfried.contract.ErrorReason;
import org.bergfried.router.meter.RouterMeters;
import org.junit.jupiter.api.Test;

final class AdmissionTest {
    private final List<String> granted = new ArrayList<>();
    private final Admission admission =
            new Admission(new AdmitConfig(1, 2), new RouterMeters(new SimpleMeterRegistry()));

    @Test
    void grantsTurnsInOrder() {
        var first = enter("first");
        var second = enter("second");
        var third = enter("third");
        assertEquals(List.of("first"), granted);
        first.close();
        second.close();
        assertEquals(List.of("first", "second", "third"), granted);
        third.close();
        assertEquals(0, admission.runningCount());
    }

    @Test
    void rejectsWhenQueueIsFull() {
        enter("first");
        enter("second");
        enter("third");
        ClusterException refused = assertThrows(ClusterException.class, () -> enter("fourth"));
        assertEquals(ErrorReason.QUEUE_FULL, refused.reason());
        assertEquals("1", refused.metadata().get("retryAfterSeconds"));
        assertTrue(refused.text().contains("limit 2"), refused.text());
    }

    @Test
    void aPlaceGivenBackIsNotGranted() {
        var first = enter("first");
        var second = enter("second");
        var _ = enter("third");
        second.close();
        second.close();
        assertEquals(1, admission.queuedCount());
        first.close();
        first.close();
        assertEquals(List.of("first", "third"), granted);
        assertEquals(1, admission.runningCount());
    }

    private Admission.Ticket enter(String name) {
        return admission.enter(() -> granted.add(name));
    }
}
