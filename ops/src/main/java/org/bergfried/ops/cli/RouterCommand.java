package org.bergfried.ops.cli;

import java.nio.file.Path;
import java.util.concurrent.Callable;
import org.bergfried.router.RouterMain;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/// Runs one router in this process.
@Command(
        name = "router",
        mixinStandardHelpOptions = true,
        description = "Runs one router in the foreground, from a YAML file; SIGTERM drains and ends it.")
final class RouterCommand implements Callable<Integer> {
    @Option(names = "--config", required = true, paramLabel = "FILE", description = "The router's configuration.")
    private Path config = Path.of("");

    @Override
    public Integer call() throws InterruptedException {
        RouterMain.main(new String[] {"--config", config.toString()});
        Thread.currentThread().join(); // the router ends the process
        return 0;
    }
}
