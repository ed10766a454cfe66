package org.bergfried.ops.cli;

import com.google.protobuf.Message;
import java.util.function.Supplier;
import java.util.function.ToIntFunction;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/// Changes what later plans must obey about one expert on one worker.
@Command(mixinStandardHelpOptions = true)
abstract class RuleCommand implements Runnable {
    private final Surroundings surroundings;

    @Mixin
    private AdminOptions options = new AdminOptions();

    @Mixin
    private ExpertArguments expert = new ExpertArguments();

    @Option(names = "--worker", required = true, paramLabel = "WORKER", description = "The worker.")
    private String worker = "";

    RuleCommand(Surroundings surroundings) {
        this.surroundings = surroundings;
    }

    /// The served name of the model; empty for the only one.
    final String model() {
        return options.model();
    }

    /// Which expert, and why.
    final ExpertArguments expert() {
        return expert;
    }

    final String worker() {
        return worker;
    }

    /// Calls a method and shows how many rules there are afterwards.
    ///
    /// @param method    of the placement service.
    /// @param responses makes empty responses.
    /// @param count     of the rules of its kind in a response.
    /// @param thing     what such a rule is called.
    final <R extends Message> void change(
            String method,
            Message request,
            Supplier<Message.Builder> responses,
            Class<R> kind,
            ToIntFunction<R> count,
            String thing) {
        options.api(surroundings).call("PlacementService/" + method, request, responses, kind, response -> {
            String text = options.json()
                    ? AdminApi.json(response)
                    : "done: " + Words.count(count.applyAsInt(response), thing)
                            + " now; `bergfried placement apply` obeys";
            surroundings.out().println(text);
        });
    }
}
