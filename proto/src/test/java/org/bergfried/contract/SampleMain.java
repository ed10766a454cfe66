package org.bergfried.contract;

import java.io.IOException;
import java.time.Duration;
import java.util.concurrent.CompletionException;

/// A process for [ProcessMainTest]: does what its configuration says and tells what happens to it.
final class SampleMain {
    private SampleMain() {}

    /// @param act what the process does once it is started.
    record Config(String act) {
        static Config defaults() {
            return new Config("wait");
        }
    }

    private record Telling() implements ProcessMain.Service {
        @Override
        public void drain(Duration longest) {
            System.out.println("drained for " + longest.toSeconds());
        }

        @Override
        public void close() {
            System.out.println("closed");
        }
    }

    public static void main(String[] args) {
        ProcessMain.run("SampleMain", "logback-test.xml", args, SampleMain::start);
    }

    private static void start(ProcessMain process) throws IOException {
        String act = process.configuration(Config.class).act();
        process.endWith(new Telling(), Duration.ofSeconds(25));
        System.out.println("started");
        switch (act) {
            case "wait" ->
                Thread.ofPlatform().start(() -> {
                    while (true) {
                        java.util.concurrent.locks.LockSupport.park();
                    }
                });
            case "refuse" ->
                throw new CompletionException(new ClusterException(ErrorReason.MODEL_NOT_FOUND, "there is no model"));
            case "taken" -> throw new IOException("the address is taken");
            case "give way" -> process.replaced(new ClusterException(ErrorReason.CANCELLED, "another one is there"));
            default -> throw new IllegalStateException(act);
        }
    }
}
