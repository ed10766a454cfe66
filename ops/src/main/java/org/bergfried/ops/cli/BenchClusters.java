package org.bergfried.ops.cli;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.List;
import org.bergfried.ops.bench.Clusters;
import org.bergfried.ops.bench.ResidentMemory;

/// Clusters of the benchmark: like a quickstart, with all ports free ones and its files in a temporary directory that
/// goes with it.
record BenchClusters(Surroundings surroundings) implements Clusters {
    @Override
    public Running start(Form form) {
        Path directory;
        try {
            directory = Files.createTempDirectory("bergfried-bench");
        } catch (IOException failure) {
            throw new CommandFailure("no temporary directory: " + failure.getMessage(), failure);
        }
        int[] ports = Quickstart.freePorts(2);
        var plan = new Quickstart(form.model(), form.workers(), loopback(ports[0]), loopback(ports[1]));
        var cluster = new LocalCluster(surroundings, directory);
        ClusterState state = cluster.start(plan.lay(directory, "bench"), true, form.pinned());
        var running = new RunningCluster(cluster, state, directory);
        try {
            cluster.awaitReady(state);
            return running;
        } catch (CommandFailure failure) {
            running.close();
            throw failure;
        }
    }

    private static InetSocketAddress loopback(int port) {
        return new InetSocketAddress(InetAddress.getLoopbackAddress(), port);
    }

    private record RunningCluster(LocalCluster cluster, ClusterState state, Path directory) implements Running {
        @Override
        public String grpc() {
            return state.grpc();
        }

        @Override
        public long residentBytes() {
            return state.living().stream()
                    .filter(member -> member.role().equals("worker"))
                    .mapToLong(member -> residentBytes(member.pid()))
                    .sum();
        }

        private static long residentBytes(long pid) {
            try {
                return ResidentMemory.bytes(Long.toString(pid));
            } catch (IOException ended) {
                return 0;
            }
        }

        @Override
        public synchronized void close() {
            int _ = cluster.stop(state);
            try (var files = Files.walk(directory)) {
                List<Path> all = files.sorted(Comparator.reverseOrder()).toList();
                for (Path file : all) {
                    Files.deleteIfExists(file);
                }
            } catch (IOException failure) {
                throw new UncheckedIOException("files are left in " + directory, failure);
            }
        }
    }
}
