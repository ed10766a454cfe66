package org.bergfried.ops.cli;

import java.io.PrintStream;

/// Prints an answer as it comes: the reasoning dimmed (or in brackets where there are no colours), then the answer.
final class AnswerPrinter implements ChatClient.Listener {
    private static final String DIM = "\u001b[2m";
    private static final String PLAIN = "\u001b[0m";

    private final PrintStream out;
    private final boolean colours;
    private boolean reasoning;

    AnswerPrinter(PrintStream out, boolean colours) {
        this.out = out;
        this.colours = colours;
    }

    @Override
    public void reasoning(String text) {
        if (!reasoning) {
            reasoning = true;
            out.print(colours ? DIM : "[");
        }
        out.print(text);
        out.flush();
    }

    @Override
    public void content(String text) {
        endReasoning();
        out.print(text);
        out.flush();
    }

    @Override
    public void toolCall(String name, String arguments) {
        endReasoning();
        out.println(name.isEmpty() ? arguments : "-> " + name + "(" + arguments + ")");
    }

    void note(String text) {
        endReasoning();
        out.print("\n" + text);
    }

    /// Ends the answer, also one that broke off.
    void end() {
        endReasoning();
        out.println();
    }

    private void endReasoning() {
        if (reasoning) {
            reasoning = false;
            out.print(colours ? PLAIN + "\n" : "]\n");
        }
    }
}
