package org.bergfried.worker;

import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import org.bergfried.contract.ByteSize;
import org.bergfried.contract.Require;
import org.bergfried.contract.cluster.ClusterConfig;
import org.bergfried.contract.cluster.WorkerAnnouncement.Role;
import org.bergfried.contract.tls.KeepAlive;
import org.bergfried.contract.tls.TlsConfig;
import org.bergfried.worker.engine.EngineSettings;
import org.bergfried.worker.expert.HostSettings;
import org.bergfried.worker.kernel.choice.BackendChoice;
import org.bergfried.worker.kernel.cuda.CudaSettings;
import org.bergfried.worker.kernel.foreign.LibrarySettings;
import org.jspecify.annotations.Nullable;

/// A worker's configuration, one YAML file. Everything but `model.path` has a default.
///
/// ```yaml
/// id: worker-1
/// model: {path: /models/deepseek-v3, name: deepseek-v3}
/// roles: [trunk, expert]
/// grpc: {host: 10.0.0.7, port: 9091}
/// cluster: {host: 10.0.0.7, seeds: ["10.0.0.5:5701"]}
/// ```
///
/// @param id            the worker's name, stable over restarts and different from all others; default `worker-1`.
/// @param model         what it serves.
/// @param roles         `trunk` (runs sequences), `expert` (hosts routed experts) or both, the default.
/// @param backend       `auto` (the fastest that this machine has; default), `scalar`, `vector`, `native` or
///     `cuda`, of trunk and experts where they do not name their own. `auto` takes a GPU only if a real one answers.
/// @param trunk         what the trunk computes with.
/// @param cuda          which GPU, where one is used.
/// @param threads       compute threads, 0 to 1024; 0 (default) takes as many as affinity and CPU quota allow.
/// @param pinThreads    whether each compute thread is bound to a processor of its own, within those that the process
///     may use; default false. For machines or containers that nothing else runs on.
/// @param kernels       where the kernels in C come from.
/// @param grpc          where routers and peers call; default 127.0.0.1:9091. Port 0 takes a free one.
/// @param http          health and metrics; default 127.0.0.1:8081.
/// @param dataDirectory keeps digests of model files between starts; default `data`.
/// @param cache         keys and values of running sequences.
/// @param batch         continuous batching.
/// @param experts       routed experts: memory and peers.
/// @param tls           the identity of the worker; without one, only loopback addresses are accepted.
/// @param keepAlive     how a dead peer is noticed.
/// @param cluster       how it finds the others.
/// @param sealKeyFile   the keys that seal shared state, the same for all members; default `seal.keys` in the
///     data directory.
/// @param drain         how long running sequences may go on after SIGTERM, 0 s to 1 h; default 25 s, below the 30 s
///                      after which Kubernetes kills.
public record WorkerConfig(
        String id,
        ModelFile model,
        List<Role> roles,
        String backend,
        int threads,
        boolean pinThreads,
        Trunk trunk,
        Cuda cuda,
        Library kernels,
        Listen grpc,
        Listen http,
        Path dataDirectory,
        Cache cache,
        Batching batch,
        Experts experts,
        Optional<TlsConfig> tls,
        KeepAlive keepAlive,
        ClusterConfig cluster,
        Path sealKeyFile,
        Duration drain) {

    /// Fills in the defaults and checks the limits.
    public WorkerConfig {
        id = or(id, "worker-1");
        roles = roles.isEmpty() ? List.of(Role.TRUNK, Role.EXPERT) : roles;
        backend = or(backend, "auto");
        grpc = grpc.orPort(9091);
        http = http.orPort(8081);
        dataDirectory = or(dataDirectory, Path.of("data"));
        sealKeyFile = or(sealKeyFile, dataDirectory.resolve("seal.keys"));
        drain = or(drain, Duration.ofSeconds(25));
        Require.text("id", id);
        requireBackend(backend);
        Require.range("threads", threads, 0, 1024);
        Require.range("drain", drain, Duration.ZERO, Duration.ofHours(1));
    }

    private static void requireBackend(String name) {
        List<String> names = List.of("auto", "scalar", "vector", "native", "cuda");
        Require.that(names.contains(name), "backend", "= " + name + " must be one of " + String.join(", ", names));
    }

    /// What computes.
    public BackendChoice backends() {
        return new BackendChoice(
                trunk.backend().orElse(backend),
                experts.backend().orElse(backend),
                threads,
                pinThreads,
                cuda.settings(),
                kernels.settings());
    }

    /// How the engine is made.
    ///
    /// @param startNumber which start of this worker.
    public EngineSettings engine(long startNumber) {
        return new EngineSettings(
                id,
                startNumber,
                model.servedName(),
                backends(),
                has(Role.TRUNK),
                has(Role.EXPERT),
                cache.context(),
                bytes(cache.size()),
                cache.positions(),
                batch.rowsMax(),
                batch.sequencesMax(),
                batch.prefillChunk(),
                batch.sequencesMax(),
                batch.queueMax(),
                batch.stalledMax(),
                bytes(experts.hot()),
                bytes(experts.cold()),
                experts.peersMax());
    }

    private static OptionalLong bytes(Optional<ByteSize> size) {
        return size.isPresent() ? OptionalLong.of(size.get().bytes()) : OptionalLong.empty();
    }

    /// Whether the worker plays a role.
    public boolean has(Role role) {
        return roles.contains(role);
    }

    /// The model.
    ///
    /// @param path a directory with safetensors, or a .gguf file; required.
    /// @param name the name under which it is served; by default the name of the directory or file.
    public record ModelFile(Path path, Optional<String> name) {
        /// Checks that the path is given.
        public ModelFile {
            Require.present("path", path);
        }

        /// The served name.
        public String servedName() {
            return name.orElseGet(() -> {
                Path last = path.toAbsolutePath().normalize().getFileName();
                return last == null ? "model" : last.toString().replaceFirst("\\.gguf$", "");
            });
        }
    }

    /// Where to listen.
    ///
    /// @param host an address of this machine; default 127.0.0.1.
    /// @param port -1 (default) for the service's own port, 0 for a free one, up to 65535.
    public record Listen(String host, int port) {
        /// Checks the port.
        public Listen {
            Require.text("host", host);
            Require.that(
                    !host.equals("0.0.0.0") && !host.equals("::"),
                    "host",
                    "= " + host + " must be one address at which others reach this worker, not a wildcard");
            Require.range("port", port, -1, 65535);
        }

        /// Loopback and the service's own port.
        public static Listen defaults() {
            return new Listen("127.0.0.1", -1);
        }

        private Listen orPort(int own) {
            return port == -1 ? new Listen(host, own) : this;
        }
    }

    /// What the trunk computes with.
    ///
    /// @param backend as at the top level, for the trunk only.
    public record Trunk(Optional<String> backend) {
        /// Checks the name.
        public Trunk {
            backend.ifPresent(WorkerConfig::requireBackend);
        }
    }

    /// A GPU.
    ///
    /// @param device        which of those that the driver shows, 0 (default) to 63.
    /// @param memory        most bytes of its memory; by default what is free at start, less 256 MiB.
    /// @param library       file name or path of the driver's library; default `libcuda.so.1`.
    /// @param allowEmulated whether a device that says it is emulated may be used, for tests; default false.
    public record Cuda(int device, Optional<ByteSize> memory, String library, boolean allowEmulated) {
        /// Fills in the default and checks the limit.
        public Cuda {
            library = or(library, CudaSettings.LIBRARY);
            Require.range("device", device, 0, 63);
        }

        private CudaSettings settings() {
            return new CudaSettings(device, bytes(memory), library, allowEmulated);
        }
    }

    /// Where the kernels in C come from.
    ///
    /// @param build     `auto` (default): a `cc` on the path builds them at the first start, within 20 s; where
    ///     that fails, the checked-in library is taken. `found`: what was built before is taken, but nothing is
    ///     built. `never`: the checked-in library.
    /// @param directory keeps what was built; default `.cache/bergfried/kernels` in the user's home, or
    ///     `data/kernels`.
    public record Library(LibrarySettings.Build build, Path directory) {
        /// Fills in the defaults.
        public Library {
            build = or(build, LibrarySettings.Build.AUTO);
            directory = or(directory, LibrarySettings.defaultDirectory());
        }

        private LibrarySettings settings() {
            return new LibrarySettings(build, directory);
        }
    }

    /// Keys and values of running sequences.
    ///
    /// @param size      bytes of the cache; by default what `positions` needs.
    /// @param positions positions of all sequences together, 0 to 2^30; 0 (default) takes 8 sequences of the
    ///     model's context, less where memory is short, but at least 4096 positions or one such sequence.
    /// @param context   most positions of a sequence, 0 to 2^24; 0 (default) takes the model's own.
    public record Cache(Optional<ByteSize> size, int positions, int context) {
        /// Checks the limits.
        public Cache {
            Require.range("positions", positions, 0, 1 << 30);
            Require.range("context", context, 0, 1 << 24);
        }
    }

    /// Continuous batching.
    ///
    /// @param rowsMax      rows of a step, 1 to 8192; default 256.
    /// @param prefillChunk rows of one prompt in a step, 1 to 8192; default 64.
    /// @param sequencesMax sequences in the batch, 1 to rowsMax; default 64.
    /// @param queueMax     sequences that wait, 1 to 65536; default 256.
    /// @param stalledMax   how long a client may read nothing before its sequence is cancelled, 1 s to 1 h; default
    ///                     60 s.
    public record Batching(int rowsMax, int prefillChunk, int sequencesMax, int queueMax, Duration stalledMax) {
        /// Checks the limits.
        public Batching {
            Require.range("rowsMax", rowsMax, 1, 8192);
            Require.range("prefillChunk", prefillChunk, 1, 8192);
            Require.range("sequencesMax", sequencesMax, 1, rowsMax);
            Require.range("queueMax", queueMax, 1, 65536);
            Require.range("stalledMax", stalledMax, Duration.ofSeconds(1), Duration.ofHours(1));
        }

        /// Sizes for machines with up to some dozens of cores.
        public static Batching defaults() {
            return new Batching(256, 64, 64, 256, Duration.ofSeconds(60));
        }
    }

    /// Routed experts: their memory, and the other workers that rows are exchanged with.
    ///
    /// @param hot  bytes of installed experts; by default room for all of the model's.
    /// @param cold bytes of experts that are loaded on use; by default 64 MiB, or the largest expert.
    /// @param backend as at the top level, for the experts only.
    /// @param peersMax other workers whose trunks may use the experts of this one at a time, and whose experts its
    ///     trunk may use, 1 to 1024; default 64. Memory for all of them is in the memory sum; where it is short,
    ///     more peers mean fewer rows on the way to each.
    public record Experts(Optional<ByteSize> hot, Optional<ByteSize> cold, int peersMax, Optional<String> backend) {
        /// Checks the limit.
        public Experts {
            Require.range("peersMax", peersMax, 1, HostSettings.PEERS_LIMIT);
            backend.ifPresent(WorkerConfig::requireBackend);
        }

        /// Room for all experts, and for a cluster of 65 workers.
        public static Experts defaults() {
            return new Experts(Optional.empty(), Optional.empty(), 64, Optional.empty());
        }
    }

    private static <T> T or(@Nullable T value, T fallback) {
        return value == null ? fallback : value;
    }
}
