package org.bergfried.ops.verify;

import com.github.dockerjava.api.DockerClient;
import com.github.dockerjava.api.command.CreateContainerCmd;
import com.github.dockerjava.api.command.InspectContainerResponse;
import com.github.dockerjava.api.model.AccessMode;
import com.github.dockerjava.api.model.Bind;
import com.github.dockerjava.api.model.Capability;
import com.github.dockerjava.api.model.ExposedPort;
import com.github.dockerjava.api.model.HostConfig;
import com.github.dockerjava.api.model.Volume;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;
import org.bergfried.contract.ByteSize;
import org.testcontainers.containers.GenericContainer;
import org.testcontainers.containers.Network;
import org.testcontainers.containers.wait.strategy.AbstractWaitStrategy;
import org.testcontainers.utility.DockerImageName;
import tools.jackson.databind.JsonNode;

/// A pod of the chart as a container: the arguments, environment, files, limits and restrictions that the chart
/// gives it, under a user id that no file knows.
final class PodContainer implements AutoCloseable {
    static final int USER = 12345;

    private static final String IMAGE = System.getProperty("bergfried.image", "bergfried:test");

    private final ChartPod pod;
    private final Path files;
    private final Path secrets;
    private final GenericContainer<?> container;

    /// @param address its address in the network.
    /// @param names under which others find it there.
    /// @param folder where its files are written, below `secrets` those of each Secret.
    PodContainer(ChartPod pod, Network network, String address, List<String> names, Path folder) throws IOException {
        this.pod = pod;
        this.files = folder.resolve(pod.name());
        this.secrets = folder.resolve("secrets");
        List<Bind> binds = binds();
        container = new GenericContainer<>(DockerImageName.parse(IMAGE))
                .withImagePullPolicy(image -> false)
                .withCommand(pod.arguments().toArray(String[]::new))
                .withEnv(pod.environment(address))
                .withExposedPorts(pod.port("http"))
                .withNetwork(network)
                .withNetworkAliases(names.toArray(String[]::new))
                .withCreateContainerCmdModifier(command -> restrict(command.withIpv4Address(address), binds))
                .waitingFor(new AbstractWaitStrategy() {
                    @Override
                    protected void waitUntilReady() {} // the cluster waits for all of them together
                });
    }

    String name() {
        return pod.name();
    }

    void start() {
        container.start();
    }

    /// A port on this machine that leads to the container's HTTP port: another one after each start.
    int httpPort() {
        var ports = inspect().getNetworkSettings().getPorts().getBindings();
        var bindings = Objects.requireNonNull(ports.get(ExposedPort.tcp(pod.port("http"))), name() + " does not run");
        return Integer.parseInt(bindings[0].getHostPortSpec());
    }

    /// SIGKILL, at once.
    void kill() {
        docker().killContainerCmd(id()).exec();
    }

    /// Starts it anew, with the same address and an empty `/tmp` and `/data`.
    void restart() {
        docker().startContainerCmd(id()).exec();
    }

    /// Freezes all its threads.
    void pause() {
        docker().pauseContainerCmd(id()).exec();
    }

    void unpause() {
        docker().unpauseContainerCmd(id()).exec();
    }

    /// SIGTERM, and its exit code.
    long stop(int seconds) {
        docker().stopContainerCmd(id()).withTimeout(seconds).exec();
        return Objects.requireNonNull(inspect().getState().getExitCodeLong());
    }

    InspectContainerResponse inspect() {
        return docker().inspectContainerCmd(id()).exec();
    }

    boolean isRunning() {
        return Boolean.TRUE.equals(inspect().getState().getRunning());
    }

    /// What was written to the container's own layer, but for the places of its mounts.
    List<String> changes() {
        List<String> mounts = new ArrayList<>(List.of("/dev/", "/models/demo-model/"));
        pod.container()
                .path("volumeMounts")
                .forEach(mount -> mounts.add(mount.path("mountPath").asString() + "/"));
        return docker().containerDiffCmd(id()).exec().stream()
                .map(change -> change.getPath())
                .filter(path -> mounts.stream().noneMatch(mount -> mount.startsWith(path + "/")))
                .toList();
    }

    /// Ends it, and keeps what it logged.
    @Override
    public void close() {
        if (container.getContainerId() != null) {
            try {
                Path logs = Files.createDirectories(Chart.PROJECT.resolve("ops/target/containers"));
                Files.writeString(logs.resolve(name() + ".log"), container.getLogs());
            } catch (IOException e) {
                throw new java.io.UncheckedIOException(e);
            }
        }
        container.stop();
    }

    private DockerClient docker() {
        return container.getDockerClient();
    }

    private String id() {
        return container.getContainerId();
    }

    private void restrict(CreateContainerCmd command, List<Bind> binds) {
        JsonNode security = pod.container().path("securityContext");
        List<Capability> dropped = new ArrayList<>();
        security.path("capabilities").path("drop").forEach(name -> dropped.add(Capability.valueOf(name.asString())));
        boolean mayEscalate = security.path("allowPrivilegeEscalation").asBoolean(true);
        JsonNode limit = pod.container().path("resources").path("limits").path("memory");
        long bytes = ByteSize.parse(limit.asString() + "B").bytes();
        HostConfig host = Objects.requireNonNull(command.getHostConfig());
        host.withReadonlyRootfs(security.path("readOnlyRootFilesystem").asBoolean())
                .withCapDrop(dropped.toArray(Capability[]::new))
                .withSecurityOpts(mayEscalate ? List.of() : List.of("no-new-privileges"))
                .withMemory(bytes)
                .withMemorySwap(bytes)
                .withTmpFs(emptyDirectories())
                .withBinds(binds);
        command.withUser(USER + ":" + group());
    }

    private Map<String, String> emptyDirectories() {
        Map<String, String> directories = new TreeMap<>();
        for (JsonNode mount : pod.container().path("volumeMounts")) {
            if (pod.volume(mount.path("name").asString()).has("emptyDir")) {
                directories.put(mount.path("mountPath").asString(), "exec,size=256m");
            }
        }
        return directories;
    }

    private List<Bind> binds() throws IOException {
        List<Bind> binds = new ArrayList<>();
        for (JsonNode mount : pod.container().path("volumeMounts")) {
            String name = mount.path("name").asString();
            JsonNode volume = pod.volume(name);
            String path = mount.path("mountPath").asString();
            if (volume.has("secret")) {
                binds.add(bind(secret(name, volume.path("secret")), path));
            } else if (volume.has("configMap")) {
                binds.add(bind(configuration(name), path));
            } else if (volume.has("persistentVolumeClaim")) {
                binds.add(bind(Chart.PROJECT.resolve("ops/demo-model"), path + "/demo-model"));
            }
        }
        return binds;
    }

    private static Bind bind(Path directory, String path) {
        return new Bind(directory.toString(), new Volume(path), AccessMode.ro);
    }

    private Path configuration(String name) throws IOException {
        Path directory = directory(name);
        for (var file : pod.configuration().entrySet()) {
            Files.setPosixFilePermissions(
                    Files.writeString(directory.resolve(file.getKey()), file.getValue()),
                    PosixFilePermissions.fromString("rw-r--r--"));
        }
        return directory;
    }

    private Path secret(String name, JsonNode secret) throws IOException {
        Path directory = directory(name);
        Path from = secrets.resolve(secret.path("secretName").asString());
        for (JsonNode item : secret.path("items")) {
            Path file = Files.copy(
                    from.resolve(item.path("key").asString()),
                    directory.resolve(item.path("path").asString()));
            Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("r--r-----"));
        }
        return directory;
    }

    private Path directory(String name) throws IOException {
        Path directory = Files.createDirectories(files.resolve(name));
        return Files.setPosixFilePermissions(directory, PosixFilePermissions.fromString("rwxr-xr-x"));
    }

    /// The group of the files, which the platform gives to the process.
    private Object group() {
        try {
            return Files.getAttribute(files, "unix:gid");
        } catch (IOException e) {
            throw new java.io.UncheckedIOException(e);
        }
    }
}
