package org.bergfried.router.chat;

import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/// Turns the tokens of one answer, in order and from the first, into deltas: reasoning, content and tool calls apart,
/// cut
/// at stop strings, never half a character. Not safe for use by several threads.
///
/// Line breaks at the beginning of the reasoning, and at the beginning of the content that follows it, belong to the
/// markup and are left out.
public final class AnswerParser {
    private enum State {
        REASONING,
        CONTENT,
        CALL_NAME,
        CALL_ARGUMENTS,
        BETWEEN_CALLS
    }

    private final Tokenizer tokenizer;
    private final AnswerMarkers markers;
    private final Set<Integer> stopIds;
    private final String generationId;
    private final StopStrings stops;
    private final Detokenizer detokenizer = new Detokenizer();

    private State state;
    private boolean skipsLineBreaks;
    private int callCount;
    private int lastPosition = -1;
    private int lastDeltaPosition = -1;

    // What the token at hand adds.
    private String reasoning = "";
    private String content = "";
    private final StringBuilder callName = new StringBuilder();
    private final List<Delta.ToolCallPiece> pieces = new ArrayList<>();

    AnswerParser(
            Tokenizer tokenizer,
            AnswerMarkers markers,
            Set<Integer> stopIds,
            String generationId,
            boolean startsInReasoning,
            List<String> stopStrings) {
        this.tokenizer = tokenizer;
        this.markers = markers;
        this.stopIds = stopIds;
        this.generationId = generationId;
        this.stops = new StopStrings(stopStrings);
        this.state = startsInReasoning ? State.REASONING : State.CONTENT;
        this.skipsLineBreaks = startsInReasoning;
    }

    /// Takes the next token.
    ///
    /// @param id its id
    /// @param position its position, one more than that of the token before
    /// @return what it adds, or null if nothing can be shown yet or a stop string has ended the answer
    public @Nullable Delta next(int id, int position) {
        if (position != lastPosition + 1) {
            throw new IllegalStateException("token " + position + " follows token " + lastPosition);
        }
        lastPosition = position;
        if (stops.matched() != null) {
            return null;
        }
        if (markers.contains(id)) {
            take(detokenizer.end());
            if (state == State.CONTENT) {
                content += stops.end();
            }
            marker(id);
        } else if (!tokenizer.isSpecial(id) && !stopIds.contains(id)) {
            take(detokenizer.next(tokenizer.bytes(id)));
        }
        return delta(position);
    }

    /// Gives what was held back, when the answer has ended for another reason than a stop string. Its position is the
    /// next one if the last token has given a delta already.
    public @Nullable Delta end() {
        if (stops.matched() != null) {
            return null;
        }
        take(detokenizer.end());
        content += stops.end();
        return delta(lastDeltaPosition == lastPosition ? lastPosition + 1 : lastPosition);
    }

    /// The stop string that ended the answer, or null. The caller then cancels the generation.
    public @Nullable String matchedStop() {
        return stops.matched();
    }

    /// How many tool calls have begun.
    public int toolCallCount() {
        return callCount;
    }

    private @Nullable Delta delta(int position) {
        Delta delta = new Delta(position, reasoning, content, pieces);
        reasoning = "";
        content = "";
        pieces.clear();
        if (delta.isEmpty()) {
            return null;
        }
        lastDeltaPosition = position;
        return delta;
    }

    private void marker(int id) {
        if (id == markers.think()) {
            enter(State.REASONING, true);
        } else if (id == markers.endThink()) {
            enter(State.CONTENT, state == State.REASONING);
        } else if (id == markers.calls()) {
            enter(State.BETWEEN_CALLS, false);
        } else if (id == markers.call()) {
            callName.setLength(0);
            enter(State.CALL_NAME, false);
        } else if (id == markers.separator() && state == State.CALL_NAME) {
            beginCall();
            enter(State.CALL_ARGUMENTS, false);
        } else if (id == markers.endCall()) {
            if (state == State.CALL_NAME) {
                beginCall();
            }
            enter(State.BETWEEN_CALLS, false);
        } else if (id == markers.endCalls()) {
            enter(State.CONTENT, false);
        }
    }

    private void enter(State next, boolean withoutLineBreaks) {
        state = next;
        skipsLineBreaks = withoutLineBreaks;
    }

    private void beginCall() {
        pieces.add(new Delta.ToolCallPiece(
                callCount, callId(callCount), callName.toString().strip(), ""));
        callCount++;
    }

    /// Derived, not drawn: a router that takes over gives the same id.
    private String callId(int index) {
        try {
            byte[] digest = MessageDigest.getInstance("SHA-256")
                    .digest((generationId + "/" + index).getBytes(StandardCharsets.UTF_8));
            return "call_" + HexFormat.of().formatHex(digest, 0, 12);
        } catch (NoSuchAlgorithmException everyJavaHasIt) {
            throw new IllegalStateException(everyJavaHasIt);
        }
    }

    private void take(String text) {
        String kept = skipsLineBreaks ? withoutLineBreaks(text) : text;
        if (kept.isEmpty()) {
            return;
        }
        skipsLineBreaks = false;
        switch (state) {
            case REASONING -> reasoning += kept;
            case CONTENT -> content += stops.next(kept);
            case CALL_NAME -> callName.append(kept);
            case CALL_ARGUMENTS -> pieces.add(new Delta.ToolCallPiece(callCount - 1, null, null, kept));
            case BETWEEN_CALLS -> {}
        }
    }

    private static String withoutLineBreaks(String text) {
        int from = 0;
        while (from < text.length() && (text.charAt(from) == '\n' || text.charAt(from) == '\r')) {
            from++;
        }
        return text.substring(from);
    }
}
