package org.bergfried.ops.cli;

import java.nio.file.Path;
import java.util.concurrent.Callable;
import org.bergfried.worker.WorkerMain;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/// Runs one worker in this process.
@Command(
        name = "worker",
        mixinStandardHelpOptions = true,
        description = "Runs one worker in the foreground, from a YAML file; SIGTERM drains and ends it.")
final class WorkerCommand implements Callable<Integer> {
    @Option(names = "--config", required = true, paramLabel = "FILE", description = "The worker's configuration.")
    private Path config = Path.of("");

    @Override
    public Integer call() throws InterruptedException {
        WorkerMain.main(new String[] {"--config", config.toString()});
        Thread.currentThread().join(); // the worker ends the process
        return 0;
    }
}
