package org.bergfried.ops.cli;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Collectors;
import org.bergfried.router.chat.Tokenizer;
import org.bergfried.worker.model.ModelTexts;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/// Encodes text as a client's text is encoded.
@Command(
        name = "tokenize",
        mixinStandardHelpOptions = true,
        description = "Prints a line of token ids per piece of text. No special tokens are added or recognised.")
final class TokenizeCommand implements Runnable {
    private final Surroundings surroundings;

    @Parameters(
            paramLabel = "MODEL",
            description = "A model directory or GGUF file; one with a vocabulary and no tensors will do.")
    private Path model = Path.of("");

    @Option(names = "--file", paramLabel = "F", description = "The text (default: standard input).")
    private @Nullable Path file;

    @Option(
            names = "--separator",
            paramLabel = "LINE",
            description = "A line that stands between two pieces (default: all is one piece).")
    private @Nullable String separator;

    TokenizeCommand(Surroundings surroundings) {
        this.surroundings = surroundings;
    }

    @Override
    public void run() {
        byte[] tokenizerJson = ModelTexts.open(model).tokenizerJson();
        if (tokenizerJson == null) {
            throw new CommandFailure(model + " has no vocabulary");
        }
        Tokenizer tokenizer = Tokenizer.of(tokenizerJson);
        for (String piece : pieces(Input.text(file), separator)) {
            surroundings
                    .out()
                    .println(Arrays.stream(tokenizer.encode(piece))
                            .mapToObj(String::valueOf)
                            .collect(Collectors.joining(" ")));
        }
    }

    /// The pieces of a text between two newlines with the separator; a trailing separator ends the last piece.
    static List<String> pieces(String text, @Nullable String separator) {
        if (separator == null) {
            return List.of(text);
        }
        String between = "\n" + separator + "\n";
        List<String> pieces = new ArrayList<>();
        int from = 0;
        for (int end = text.indexOf(between); end >= 0; end = text.indexOf(between, from)) {
            pieces.add(text.substring(from, end));
            from = end + between.length();
        }
        if (from < text.length()) {
            String last = text.substring(from);
            String ending = "\n" + separator;
            pieces.add(last.endsWith(ending) ? last.substring(0, last.length() - ending.length()) : last);
        }
        return pieces;
    }
}
