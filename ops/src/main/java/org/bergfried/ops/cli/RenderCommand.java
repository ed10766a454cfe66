package org.bergfried.ops.cli;

import java.nio.file.Path;
import java.time.Instant;
import java.time.LocalDate;
import java.time.ZoneOffset;
import java.util.LinkedHashMap;
import java.util.Map;
import org.bergfried.router.chat.ConversationFile;
import org.bergfried.router.chat.template.ChatTemplate;
import org.bergfried.worker.model.ModelTexts;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import tools.jackson.databind.json.JsonMapper;

/// Renders conversations as the router does.
@Command(
        name = "render",
        mixinStandardHelpOptions = true,
        description = "Prints a JSON object: for each conversation the prompt's text, or {\"error\": why}.")
final class RenderCommand implements Runnable {
    private final Surroundings surroundings;

    @ArgGroup(multiplicity = "1")
    @SuppressWarnings("NullAway.Init") // picocli sets it before run
    private Source source;

    /// Where the template comes from.
    static final class Source {
        @Parameters(paramLabel = "MODEL", description = "A model directory or GGUF file with a chat template.")
        private @Nullable Path model;

        @Option(names = "--template", paramLabel = "F", description = "A template file.")
        private @Nullable Path template;
    }

    @Option(
            names = "--conversations",
            required = true,
            paramLabel = "F",
            description = "A JSON array of {name, messages, tools?, add_generation_prompt?, kwargs?}.")
    private Path conversations = Path.of("");

    @Option(
            names = "--date",
            paramLabel = "D",
            description = "The day that the template sees, YYYY-MM-DD (default: today, UTC).")
    private @Nullable LocalDate date;

    @Option(names = "--bos", paramLabel = "S", description = "The variable bos_token (default: the model's).")
    private @Nullable String bos;

    @Option(names = "--eos", paramLabel = "S", description = "The variable eos_token (default: the model's).")
    private @Nullable String eos;

    RenderCommand(Surroundings surroundings) {
        this.surroundings = surroundings;
    }

    @Override
    public void run() {
        Map<String, String> variables = new LinkedHashMap<>();
        ChatTemplate template = ChatTemplate.parse(source(variables));
        if (bos != null) {
            variables.put("bos_token", bos);
        }
        if (eos != null) {
            variables.put("eos_token", eos);
        }
        Map<String, Object> answer = new LinkedHashMap<>();
        ConversationFile.render(Input.bytes(conversations), template, variables, day(), surroundings.clock())
                .forEach((name, rendering) -> answer.put(
                        name,
                        switch (rendering) {
                            case ConversationFile.Rendered(String text) -> text;
                            case ConversationFile.Refused(String message) -> Map.of("error", message);
                        }));
        surroundings.out().println(JsonMapper.shared().writeValueAsString(answer));
    }

    private LocalDate day() {
        return date != null
                ? date
                : LocalDate.ofInstant(Instant.ofEpochMilli(surroundings.clock().wallMillis()), ZoneOffset.UTC);
    }

    private String source(Map<String, String> variables) {
        if (source.template != null) {
            return Input.text(source.template);
        }
        Path model = java.util.Objects.requireNonNull(source.model);
        ModelTexts texts = ModelTexts.open(model);
        variables.putAll(texts.tokenVariables());
        if (texts.chatTemplate() == null) {
            throw new CommandFailure(model + " has no chat template");
        }
        return texts.chatTemplate();
    }
}
