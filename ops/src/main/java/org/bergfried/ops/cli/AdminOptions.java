package org.bergfried.ops.cli;

import java.nio.file.Path;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/// How a command reaches the admin API of a router.
final class AdminOptions {
    @Option(names = "--data", paramLabel = "DIR", description = "The quickstart's data directory.")
    private @Nullable Path data;

    @Option(
            names = {"--url", "--server"},
            paramLabel = "URL",
            description = "A router instead of the quickstart's: host:port or a URL with https.")
    private @Nullable String url;

    @Option(names = "--key", paramLabel = "KEY", description = "An API key (default: $BERGFRIED_API_KEY).")
    private @Nullable String key;

    @Option(names = "--model", paramLabel = "NAME", description = "The served name (default: the only one).")
    private @Nullable String model;

    @Option(names = "--json", description = "Prints JSON, one line for each response.")
    private boolean json;

    boolean json() {
        return json;
    }

    /// The named model; empty for the only one.
    String model() {
        return model == null ? "" : model;
    }

    AdminApi api(Surroundings surroundings) {
        String secret = key != null ? key : surroundings.environment().get("BERGFRIED_API_KEY");
        return new AdminApi(url != null ? base(url) : runningUrl(surroundings), secret);
    }

    private static String base(String given) {
        String plain = given.replaceAll("/(v1/?)?$", "");
        return plain.contains("://") ? plain : "http://" + plain;
    }

    private String runningUrl(Surroundings surroundings) {
        Path directory = surroundings.dataDirectory(data);
        ClusterState state = ClusterState.read(directory);
        if (state == null) {
            throw new CommandFailure("nothing runs from " + directory
                    + "; start `bergfried quickstart` in another terminal, or name a router with --url");
        }
        return state.http();
    }
}
