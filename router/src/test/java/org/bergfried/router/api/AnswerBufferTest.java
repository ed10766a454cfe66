package org.bergfried.router.api;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.time.Duration;
import java.util.List;
import org.bergfried.contract.ClusterException;
import org.bergfried.contract.ErrorReason;
import org.bergfried.router.chat.Delta;
import org.bergfried.router.chat.Delta.ToolCallPiece;
import org.junit.jupiter.api.Test;

final class AnswerBufferTest {
    private final AnswerBuffer buffer = new AnswerBuffer(1000);

    @Test
    void givesAClientUpThatLetsTooMuchPileUp() throws Exception {
        int taken = 0;
        while (buffer.add(text(taken, "word "))) {
            taken++;
        }
        assertTrue(taken >= 5 && taken <= 10, "taken " + taken);
        assertFalse(buffer.add(text(taken, "more")), "a client that is given up stays so");
        for (int position = 0; position < taken; position++) {
            assertEquals(text(position, "word "), buffer.next(Duration.ZERO).orElseThrow());
        }
        var error = assertThrows(ClusterException.class, () -> buffer.next(Duration.ZERO));
        assertEquals(ErrorReason.CANCELLED, error.reason());
        assertTrue(error.text().contains("1000") && error.text().contains("resumed"), error.text());
    }

    @Test
    void takesAnyAmountFromAClientThatReads() throws Exception {
        for (int position = 0; position < 10_000; position++) {
            assertTrue(buffer.add(text(position, "word ")));
            assertEquals(text(position, "word "), buffer.next(Duration.ZERO).orElseThrow());
        }
        assertTrue(buffer.next(Duration.ZERO).isEmpty());
    }

    @Test
    void joinsToolCallsForThoseWhoWantThemWhole() {
        var calls = new WholeCalls();
        assertTrue(calls.join(pieces(3, new ToolCallPiece(0, "a", "f", ""))).isEmpty());
        assertTrue(calls.join(pieces(4, new ToolCallPiece(0, null, null, "{\"x\":")))
                .isEmpty());
        assertTrue(calls.join(pieces(5, new ToolCallPiece(0, null, null, "1}"))).isEmpty());
        Delta first = calls.join(pieces(6, new ToolCallPiece(1, "b", "g", ""))).orElseThrow();
        assertEquals(List.of(new ToolCallPiece(0, "a", "f", "{\"x\":1}")), first.toolCalls());
        Delta last = calls.end(9).orElseThrow();
        assertEquals(List.of(new ToolCallPiece(1, "b", "g", "")), last.toolCalls());
        assertEquals(9, last.position());
        assertTrue(calls.end(10).isEmpty());
    }

    private static Delta pieces(int position, ToolCallPiece piece) {
        return new Delta(position, "", "", List.of(piece));
    }

    private static AnswerEvent text(int position, String text) {
        return new AnswerEvent.More(new Delta(position, "", text, List.of()));
    }
}
