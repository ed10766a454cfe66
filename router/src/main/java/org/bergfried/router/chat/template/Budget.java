package org.bergfried.router.chat.template;

import org.bergfried.contract.Clock;

/// Counts what a rendering uses and ends it at its limits.
final class Budget {
    private static final int CHARS_PER_UNIT = 16;
    private static final long UNITS_PER_LOOK_AT_CLOCK = 4096;

    private final RenderLimits limits;
    private final Clock clock;
    private final long deadlineNanos;
    private long work;
    private long nextLookAtClock = UNITS_PER_LOOK_AT_CLOCK;
    private int depth;

    Budget(RenderLimits limits, Clock clock) {
        this.limits = limits;
        this.clock = clock;
        this.deadlineNanos = clock.nanoTime() + limits.timeMax().toNanos();
    }

    /// Pays for touching `units` nodes or elements.
    void pay(long units) {
        work += units;
        if (work > limits.workMax()) {
            throw TemplateException.limit("the rendering needs more than " + limits.workMax() + " units of work");
        }
        if (work >= nextLookAtClock) {
            nextLookAtClock = work + UNITS_PER_LOOK_AT_CLOCK;
            if (clock.nanoTime() - deadlineNanos > 0) {
                throw TemplateException.limit("the rendering takes longer than " + limits.timeMax());
            }
        }
    }

    /// Pays for making a string, before it is made.
    void payChars(long chars) {
        requireSize(chars);
        pay(1 + chars / CHARS_PER_UNIT);
    }

    /// Checks the length of a string that grows by pieces that were paid for.
    void requireSize(long chars) {
        if (chars > limits.charsMax()) {
            throw TemplateException.limit("a text of " + chars + " characters is longer than " + limits.charsMax());
        }
    }

    /// Goes one level deeper, until [#leave()]. An error ends the whole rendering, so nothing has to be undone.
    void enter() {
        depth++;
        pay(1);
        if (depth > limits.depthMax()) {
            throw TemplateException.limit("nested more than " + limits.depthMax() + " levels deep");
        }
    }

    void leave() {
        depth--;
    }
}
