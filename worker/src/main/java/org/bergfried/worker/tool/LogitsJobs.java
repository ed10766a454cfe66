package org.bergfried.worker.tool;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.bergfried.contract.Clock;
import org.bergfried.contract.ClusterException;
import org.bergfried.contract.ErrorReason;
import org.bergfried.worker.kernel.cuda.CudaSettings;
import org.bergfried.worker.model.Model;
import org.bergfried.worker.model.Models;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ObjectNode;

/// Runs jobs of `model logits`, one line of JSON each, and answers with a line of JSON each. A job that fails is
/// answered with its error; the next one runs.
///
/// The last model stays open, and its engines (by backend and number of workers) while the backend stays the same.
public final class LogitsJobs implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(LogitsJobs.class);
    private static final JsonMapper JSON = JsonMapper.shared();

    private final CudaSettings cuda;
    private final Clock clock;
    private final Map<Integer, LogitsEngine> engines = new HashMap<>(); // by workers, of one model and backend
    private @Nullable Model model;
    private String modelPath = "";
    private String backend = "";

    /// No model yet; a GPU only if it is real.
    public LogitsJobs(Clock clock) {
        this(CudaSettings.defaults(), clock);
    }

    /// No model yet.
    ///
    /// @param cuda which GPU, for jobs that want one.
    public LogitsJobs(CudaSettings cuda, Clock clock) {
        this.cuda = cuda;
        this.clock = clock;
    }

    /// Runs one job.
    ///
    /// @param line see [LogitsJob].
    /// @return an object with model, vocab, greedy, backend and numerics, or with model and error.
    public String answer(String line) {
        try {
            return run(LogitsJob.parse(line));
        } catch (ClusterException failure) {
            return error(line, failure.reason(), failure.text());
        } catch (RuntimeException bug) {
            LOG.error("A job failed because of a bug", bug);
            return error(line, ErrorReason.INTERNAL, "a bug: " + bug);
        }
    }

    /// Runs one job.
    public String run(LogitsJob job) {
        Model open = open(job);
        LogitsEngine engine = engine(open, job);
        int vocabularySize = open.spec().vocabularySize();
        int[] greedy = new LogitsRun(engine.batcher(), job, vocabularySize).run();
        ObjectNode answer = JSON.createObjectNode();
        answer.put("model", job.model());
        answer.put("vocab", vocabularySize);
        var ids = answer.putArray("greedy");
        for (int id : greedy) {
            ids.add(id);
        }
        answer.put("backend", engine.backendName());
        answer.put("numerics", open.numericsId());
        return answer.toString();
    }

    @Override
    public void close() {
        closeEngines();
        if (model != null) {
            model.close();
            model = null;
        }
    }

    private Model open(LogitsJob job) {
        if (model == null || !job.model().equals(modelPath)) {
            close();
            model = Models.open(job.modelPath());
            modelPath = job.model();
        }
        return model;
    }

    private LogitsEngine engine(Model open, LogitsJob job) {
        if (!job.backend().equals(backend)) {
            closeEngines();
            backend = job.backend();
        }
        var room = LogitsEngine.Room.of(job, open.spec().contextLength());
        LogitsEngine engine = engines.get(job.workers());
        if (engine != null && !engine.serves(room)) {
            engines.remove(job.workers());
            engine.close();
            engine = null;
        }
        if (engine == null) {
            engine = new LogitsEngine(open, job, cuda, clock);
            engines.put(job.workers(), engine);
        }
        return engine;
    }

    private void closeEngines() {
        List<LogitsEngine> all = new ArrayList<>(engines.values());
        engines.clear();
        all.forEach(LogitsEngine::close);
    }

    private static String error(String line, ErrorReason reason, String message) {
        ObjectNode answer = JSON.createObjectNode();
        answer.put("model", modelOf(line));
        answer.putObject("error").put("reason", reason.name()).put("message", message);
        return answer.toString();
    }

    private static @Nullable String modelOf(String line) {
        try {
            JsonNode model = JSON.readTree(line).path("model");
            return model.isString() ? model.asString() : null;
        } catch (JacksonException malformed) {
            return null;
        }
    }
}
