package org.bergfried.ops.cli;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.SecureRandom;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CopyOnWriteArrayList;
import org.bergfried.contract.seal.SealKeys;
import tools.jackson.dataformat.yaml.YAMLMapper;

/// Lays out a quickstart: ports, config files and the sealing key of a router and its workers on loopback.
///
/// @param model   a model directory or GGUF file.
/// @param workers how many, 1 to 64.
/// @param http    the router's HTTP address, `host:port`.
/// @param grpc    the router's gRPC address, `host:port`.
record Quickstart(Path model, int workers, InetSocketAddress http, InetSocketAddress grpc) {
    private static final String LOOPBACK = "127.0.0.1";
    private static final List<FileLock> HELD = new CopyOnWriteArrayList<>(); // until this process ends
    private static final YAMLMapper YAML = YAMLMapper.builder().build();

    /// The name under which a model is served: its directory's or file's, and `bergfried-demo` for the bundled one.
    static String servedName(Path model, Surroundings surroundings) {
        if (model.equals(surroundings.demoModel())) {
            return "bergfried-demo";
        }
        String name = String.valueOf(model.getFileName());
        return name.endsWith(".gguf") ? name.substring(0, name.length() - 5) : name;
    }

    /// Writes config files and key, and returns the state with no process started yet.
    ClusterState lay(Path dataDirectory, String servedName) {
        try {
            Files.createDirectories(
                    dataDirectory, PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------")));
            hold(dataDirectory);
            requireFree("--http", http);
            requireFree("--grpc", grpc);
            int[] ports = freePorts(1 + 3 * workers);
            List<String> seeds = new ArrayList<>();
            for (int i = 0; i <= workers; i++) {
                seeds.add(LOOPBACK + ":" + ports[i]);
            }
            Files.createDirectories(dataDirectory.resolve("config"));
            Path key = dataDirectory.resolve("seal.key");
            if (!Files.exists(key)) {
                SealKeys.generate(new SecureRandom(), "1").write(key);
            }
            return writeConfigs(dataDirectory, servedName, ports, seeds, key);
        } catch (IOException e) {
            throw new CommandFailure("cannot write to the data directory " + dataDirectory + ": " + e.getMessage(), e);
        }
    }

    /// Of two starts from one directory the second would write over the state of the first, whose processes nothing
    /// could stop then.
    private static void hold(Path dataDirectory) throws IOException {
        FileLock lock = FileChannel.open(
                        dataDirectory.resolve("lock"), StandardOpenOption.CREATE, StandardOpenOption.WRITE)
                .tryLock();
        ClusterState state = ClusterState.read(dataDirectory);
        if (lock == null || (state != null && !state.living().isEmpty())) {
            throw new CommandFailure("another quickstart uses the data directory " + dataDirectory
                    + "; stop it with `bergfried stop`, or choose another --data");
        }
        HELD.add(lock);
    }

    private ClusterState writeConfigs(Path data, String servedName, int[] ports, List<String> seeds, Path key)
            throws IOException {
        List<ClusterState.Member> members = new ArrayList<>();
        String url = "http://" + http.getHostString() + ":" + http.getPort();
        members.add(new ClusterState.Member("router", "router", 0, 0, url));
        write(data, "router", routerConfig(seeds, key));
        for (int i = 1; i <= workers; i++) {
            int grpcPort = ports[workers + i];
            int httpPort = ports[2 * workers + i];
            String id = "worker-" + i;
            members.add(new ClusterState.Member("worker", id, 0, 0, "http://" + LOOPBACK + ":" + httpPort));
            write(data, id, workerConfig(data, id, servedName, grpcPort, httpPort, seeds, key, i));
        }
        return new ClusterState(servedName, url, grpc.getHostString() + ":" + grpc.getPort(), members);
    }

    private Map<String, Object> routerConfig(List<String> seeds, Path key) {
        Map<String, Object> config = new LinkedHashMap<>();
        config.put("http", address(http));
        config.put("grpc", address(grpc));
        config.put("sealKeyFile", key.toString());
        config.put("cluster", cluster(seeds, 0));
        config.put("placement", Map.of("expectedWorkers", workers));
        return config;
    }

    private Map<String, Object> workerConfig(
            Path data,
            String id,
            String servedName,
            int grpcPort,
            int httpPort,
            List<String> seeds,
            Path key,
            int index) {
        Map<String, Object> config = new LinkedHashMap<>();
        config.put("id", id);
        config.put("model", Map.of("path", model.toAbsolutePath().toString(), "name", servedName));
        config.put("grpc", Map.of("host", LOOPBACK, "port", grpcPort));
        config.put("http", Map.of("host", LOOPBACK, "port", httpPort));
        config.put("dataDirectory", data.resolve(id).toString());
        config.put("sealKeyFile", key.toString());
        config.put("cluster", cluster(seeds, index));
        return config;
    }

    private static Map<String, Object> cluster(List<String> seeds, int index) {
        String own = seeds.get(index);
        return Map.of(
                "name",
                "bergfried-quickstart",
                "host",
                LOOPBACK,
                "port",
                Integer.parseInt(own.substring(own.indexOf(':') + 1)),
                "seeds",
                seeds);
    }

    private static Map<String, Object> address(InetSocketAddress address) {
        return Map.of("host", address.getHostString(), "port", address.getPort());
    }

    private static void write(Path data, String id, Map<String, Object> config) throws IOException {
        Files.writeString(ProcessStarter.configFile(data, id), YAML.writeValueAsString(config));
    }

    private static void requireFree(String option, InetSocketAddress address) {
        if (address.getPort() == 0) {
            throw new CommandFailure(option + " needs a port that clients can be told, from 1 to 65535");
        }
        try (var socket = new ServerSocket()) {
            socket.setReuseAddress(true);
            socket.bind(address);
        } catch (IOException e) {
            throw new CommandFailure(
                    "port " + address.getPort() + " on " + address.getHostString() + " is taken (" + e.getMessage()
                            + "); choose another with " + option + " HOST:PORT",
                    e);
        }
    }

    /// Free ports, all different: all are held until the last is known.
    static int[] freePorts(int count) {
        List<ServerSocket> held = new ArrayList<>();
        try {
            int[] ports = new int[count];
            for (int i = 0; i < count; i++) {
                var socket = new ServerSocket(0, 1, InetAddress.ofLiteral(LOOPBACK));
                held.add(socket);
                ports[i] = socket.getLocalPort();
            }
            return ports;
        } catch (IOException e) {
            throw new CommandFailure("no free ports on " + LOOPBACK + ": " + e.getMessage(), e);
        } finally {
            held.forEach(Quickstart::closeQuietly);
        }
    }

    private static void closeQuietly(ServerSocket socket) {
        try {
            socket.close();
        } catch (IOException e) {
            throw new java.io.UncheckedIOException(e);
        }
    }
}
