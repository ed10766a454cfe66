package org.bergfried.ops.cli;

import java.io.Console;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import org.jline.reader.EndOfFileException;
import org.jline.reader.LineReader;
import org.jline.reader.LineReaderBuilder;
import org.jline.reader.UserInterruptException;
import org.jline.terminal.Terminal;
import org.jline.terminal.TerminalBuilder;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/// Asks the running cluster, once or in a conversation.
@Command(
        name = "chat",
        mixinStandardHelpOptions = true,
        description = {
            "Asks the running cluster and streams its reasoning (dimmed) and its answer.",
            "Without a message it is a conversation: /new forgets it, /quit or Ctrl-D ends it."
        })
final class ChatCommand implements Callable<Integer> {
    private final Surroundings surroundings;

    @Parameters(arity = "0..*", paramLabel = "MESSAGE", description = "What to ask; without it, a conversation.")
    private List<String> words = new ArrayList<>();

    @Option(names = "--data", paramLabel = "DIR", description = "The quickstart's data directory.")
    private @Nullable Path data;

    @Option(names = "--url", paramLabel = "URL", description = "A router's base URL, instead of the quickstart's.")
    private @Nullable String url;

    @Option(names = "--key", paramLabel = "KEY", description = "An API key (default: $BERGFRIED_API_KEY).")
    private @Nullable String key;

    @Option(names = "--model", paramLabel = "NAME", description = "The served name (default: the only one).")
    private @Nullable String model;

    @Option(names = "--system", paramLabel = "TEXT", description = "A system message.")
    private @Nullable String system;

    @Option(
            names = "--thinking",
            negatable = true,
            defaultValue = "true",
            fallbackValue = "true",
            description = "Whether the model reasons before it answers (default: it does; --no-thinking).")
    private boolean thinking = true;

    @Option(names = "--seed", paramLabel = "N", description = "Seed of the draws: the same seed gives the same answer.")
    private @Nullable Long seed;

    @Option(
            names = "--temperature",
            paramLabel = "T",
            defaultValue = "0",
            description = "0 to 2 (default: ${DEFAULT-VALUE}, the most likely token).")
    private double temperature;

    @Option(names = "--max-tokens", paramLabel = "N", description = "Most tokens of an answer.")
    private @Nullable Integer maxTokens;

    ChatCommand(Surroundings surroundings) {
        this.surroundings = surroundings;
    }

    @Override
    public Integer call() throws IOException {
        String secret = key != null ? key : surroundings.environment().get("BERGFRIED_API_KEY");
        var client = new ChatClient(url != null ? url.replaceAll("/(v1/?)?$", "") : runningUrl(), secret);
        var settings = new ChatClient.Settings(model, thinking, seed, temperature, maxTokens);
        List<ChatClient.Message> history = new ArrayList<>();
        if (system != null) {
            history.add(new ChatClient.Message("system", system));
        }
        if (words.isEmpty()) {
            converse(client, settings, history);
        } else {
            history.add(new ChatClient.Message("user", String.join(" ", words)));
            answer(client, settings, history);
        }
        return 0;
    }

    private String runningUrl() {
        Path directory = surroundings.dataDirectory(data);
        ClusterState state = ClusterState.read(directory);
        if (state == null) {
            throw new CommandFailure("nothing runs from " + directory
                    + "; start `bergfried quickstart` in another terminal, or name a router with --url");
        }
        return state.http();
    }

    private void converse(ChatClient client, ChatClient.Settings settings, List<ChatClient.Message> history)
            throws IOException {
        int opening = history.size();
        try (Terminal terminal =
                TerminalBuilder.builder().system(true).dumb(true).build()) {
            LineReader reader = LineReaderBuilder.builder()
                    .terminal(terminal)
                    .option(LineReader.Option.DISABLE_EVENT_EXPANSION, true)
                    .build();
            while (true) {
                String line = reader.readLine("> ").strip();
                switch (line) {
                    case "" -> {}
                    case "/quit", "/exit" -> {
                        return;
                    }
                    case "/new" -> history.subList(opening, history.size()).clear();
                    default -> turn(client, settings, history, line);
                }
            }
        } catch (EndOfFileException | UserInterruptException e) {
            surroundings.out().println();
        }
    }

    /// One turn; a failed one is told and forgotten, and the conversation goes on.
    private void turn(ChatClient client, ChatClient.Settings settings, List<ChatClient.Message> history, String line) {
        history.add(new ChatClient.Message("user", line));
        try {
            ChatClient.Answer answer = answer(client, settings, history);
            history.add(new ChatClient.Message("assistant", answer.content()));
        } catch (CommandFailure failure) {
            history.removeLast();
            surroundings.err().println("bergfried: " + failure.getMessage());
        }
    }

    private ChatClient.Answer answer(
            ChatClient client, ChatClient.Settings settings, List<ChatClient.Message> history) {
        var printer = new AnswerPrinter(surroundings.out(), colours());
        try {
            ChatClient.Answer answer = client.ask(history, settings, printer);
            if (answer.finishReason().equals("length")) {
                printer.note("(cut off after " + answer.completionTokens() + " tokens)");
            }
            return answer;
        } finally {
            printer.end();
        }
    }

    @SuppressWarnings(
            "SystemConsoleNull") // it does return null without a terminal where the console of java.base is used
    private boolean colours() {
        Console console = System.console();
        return console != null
                && console.isTerminal()
                && !surroundings.environment().containsKey("NO_COLOR");
    }
}
