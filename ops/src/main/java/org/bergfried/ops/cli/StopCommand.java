package org.bergfried.ops.cli;

import java.nio.file.Path;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/// Ends the processes of a quickstart.
@Command(name = "stop", mixinStandardHelpOptions = true, description = "Ends the processes of a quickstart.")
final class StopCommand implements Callable<Integer> {
    private final Surroundings surroundings;

    @Option(names = "--data", paramLabel = "DIR", description = "The quickstart's data directory.")
    private @Nullable Path data;

    StopCommand(Surroundings surroundings) {
        this.surroundings = surroundings;
    }

    @Override
    public Integer call() {
        Path directory = surroundings.dataDirectory(data);
        ClusterState state = ClusterState.read(directory);
        if (state == null) {
            surroundings.err().println("nothing was started from " + directory);
            return 0;
        }
        int count = state.living().size();
        int killed = new LocalCluster(surroundings, directory).stop(state);
        surroundings
                .err()
                .println("stopped " + count + (count == 1 ? " process" : " processes")
                        + (killed == 0 ? "" : ", " + killed + " of them killed because they did not end in time"));
        return 0;
    }
}
