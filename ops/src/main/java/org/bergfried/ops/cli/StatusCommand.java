package org.bergfried.ops.cli;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import tools.jackson.databind.json.JsonMapper;

/// Shows the processes of a quickstart.
@Command(
        name = "status",
        mixinStandardHelpOptions = true,
        description =
                "Shows the processes of a quickstart and whether each can produce a token; fails if there are none.")
final class StatusCommand implements Callable<Integer> {
    private final Surroundings surroundings;

    @Option(names = "--data", paramLabel = "DIR", description = "The quickstart's data directory.")
    private @Nullable Path data;

    @Option(names = "--json", description = "Prints one JSON object.")
    private boolean json;

    StatusCommand(Surroundings surroundings) {
        this.surroundings = surroundings;
    }

    @Override
    public Integer call() {
        Path directory = surroundings.dataDirectory(data);
        ClusterState state = ClusterState.read(directory);
        if (state == null) {
            throw new CommandFailure("nothing was started from " + directory + "; start with `bergfried quickstart`");
        }
        Map<String, Boolean> ready;
        try (var health = new HealthClient()) {
            ready = health.ready(state);
        }
        if (json) {
            surroundings.out().println(JsonMapper.shared().writeValueAsString(answer(state, ready)));
        } else {
            table(state, ready);
        }
        return 0;
    }

    private static Map<String, Object> answer(ClusterState state, Map<String, Boolean> ready) {
        List<Map<String, Object>> processes = new ArrayList<>();
        for (ClusterState.Member member : state.processes()) {
            Map<String, Object> row = new LinkedHashMap<>();
            row.put("role", member.role());
            row.put("id", member.id());
            row.put("pid", member.pid());
            row.put("alive", member.process().isPresent());
            row.put("ready", ready.getOrDefault(member.id(), false));
            processes.add(row);
        }
        Map<String, Object> answer = new LinkedHashMap<>();
        answer.put("processes", processes);
        answer.put("http", state.http());
        answer.put("grpc", state.grpc());
        answer.put("model", state.model());
        return answer;
    }

    private void table(ClusterState state, Map<String, Boolean> ready) {
        surroundings.out().printf("%s at %s (gRPC %s)%n", state.model(), state.http(), state.grpc());
        for (ClusterState.Member member : state.processes()) {
            String condition = ready.getOrDefault(member.id(), false)
                    ? "ready"
                    : member.process().isPresent()
                            ? "not ready"
                            : "dead; bring it back with: ops/bergfried quickstart --restart " + member.id();
            surroundings.out().printf("  %-10s pid %-8d %s%n", member.id(), member.pid(), condition);
        }
    }
}
