package org.bergfried.worker.engine;

import org.bergfried.contract.Clock;
import org.bergfried.worker.expert.ExpertHost;
import org.bergfried.worker.expert.ExpertStore;
import org.bergfried.worker.kernel.Backend;
import org.bergfried.worker.kernel.choice.Backends;
import org.bergfried.worker.model.Model;

/// The expert role of an engine: the store, and the host that computes.
public final class HostedExperts implements AutoCloseable {
    private final Backend backend;
    private final ExpertStore store;
    private final ExpertHost host;

    HostedExperts(Model model, Backends backends, MemoryPlan plan, Clock clock) {
        backend = backends.expert();
        store = new ExpertStore(model, backend, plan.experts(), ExpertStore.Verifier.digests(model));
        host = new ExpertHost(model, store, backend, plan.host(), clock);
    }

    /// Which experts are in memory, and their installation.
    public ExpertStore store() {
        return store;
    }

    /// Computes them.
    public ExpertHost host() {
        return host;
    }

    /// Bytes left for further experts.
    public long freeBytes() {
        return store.freeBytes();
    }

    String backendName() {
        return backend.name();
    }

    @Override
    public void close() {
        host.close();
        store.close();
        backend.close();
    }
}
