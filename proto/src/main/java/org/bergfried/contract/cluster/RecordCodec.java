package org.bergfried.contract.cluster;

import java.util.ArrayList;
import java.util.BitSet;
import java.util.EnumSet;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.bergfried.contract.Limits;
import org.bergfried.contract.cluster.WorkerAnnouncement.Role;
import org.bergfried.contract.cluster.WorkerAnnouncement.State;

/// The binary form of the records in shared state. A new field goes to the end of its record with a new version,
/// and is read only where the version has it; the constants of an enum stand for their place in a list here,
/// which only grows.
final class RecordCodec {
    private static final List<Role> ROLES = List.of(Role.TRUNK, Role.EXPERT); // bit i is the i-th
    private static final List<State> STATES = List.of(State.LOADING, State.READY, State.DRAINING, State.FAILED);

    private RecordCodec() {}

    static byte[] encode(WorkerAnnouncement worker) {
        int roleBits = worker.roles().stream()
                .mapToInt(role -> 1 << ROLES.indexOf(role))
                .sum();
        var writer = new RecordWriter(RecordKind.WORKER)
                .text(worker.id())
                .i64(worker.startNumber())
                .text(worker.grpcAddress())
                .text(worker.httpAddress())
                .u8(roleBits)
                .text(worker.modelName())
                .text(worker.modelDigest())
                .text(worker.numericsId())
                .text(worker.backend())
                .u8(STATES.indexOf(worker.state()))
                .i64(worker.freeBytes());
        writeFacts(writer, worker.facts());
        return writer.bytes(worker.hotExperts().cells().toByteArray())
                .i64(worker.placementEpochSeen())
                .toBytes();
    }

    static WorkerAnnouncement decodeWorker(byte[] bytes) {
        return RecordReader.read(RecordKind.WORKER, bytes, reader -> {
            String id = reader.text();
            long startNumber = reader.i64();
            String grpcAddress = reader.text();
            String httpAddress = reader.text();
            Set<Role> roles = readRoles(reader);
            String modelName = reader.text();
            String modelDigest = reader.text();
            String numericsId = reader.text();
            String backend = reader.text();
            State state = reader.constant(STATES);
            long freeBytes = reader.i64();
            PlacementFacts facts = readFacts(reader);
            BitSet hot = BitSet.valueOf(reader.bytes((facts.expertCount() + 7) / 8));
            return new WorkerAnnouncement(
                    id,
                    startNumber,
                    grpcAddress,
                    httpAddress,
                    roles,
                    modelName,
                    modelDigest,
                    numericsId,
                    backend,
                    state,
                    freeBytes,
                    facts,
                    ExpertSet.of(facts, hot),
                    reader.i64());
        });
    }

    static byte[] encode(Placement placement) {
        var writer = new RecordWriter(RecordKind.PLACEMENT)
                .text(placement.modelDigest())
                .i64(placement.epoch())
                .text(placement.planId());
        writeFacts(writer, placement.facts());
        writer.texts(placement.workerIds());
        for (List<String> replicas : placement.replicaTable()) {
            writer.u8(replicas.size());
            replicas.forEach(worker -> writer.u16(placement.workerIds().indexOf(worker)));
        }
        return writer.toBytes();
    }

    static Placement decodePlacement(byte[] bytes) {
        return RecordReader.read(RecordKind.PLACEMENT, bytes, reader -> {
            String modelDigest = reader.text();
            long epoch = reader.i64();
            String planId = reader.text();
            PlacementFacts facts = readFacts(reader);
            List<String> workers = reader.texts(Limits.WORKERS);
            int cells = reader.count(facts.expertCount(), Limits.MOE_LAYERS * Limits.EXPERTS_PER_LAYER, 1);
            List<List<String>> table = new ArrayList<>(cells);
            for (int cell = 0; cell < cells; cell++) {
                table.add(readReplicas(reader, workers));
            }
            return new Placement(modelDigest, epoch, planId, facts, workers, table);
        });
    }

    static byte[] encode(PlacementRules rules) {
        var writer =
                new RecordWriter(RecordKind.RULES).text(rules.modelDigest()).i64(rules.version());
        writePairs(writer, rules.pins());
        writePairs(writer, rules.bans());
        return writer.texts(rules.draining().stream().sorted().toList()).toBytes();
    }

    static PlacementRules decodeRules(byte[] bytes) {
        return RecordReader.read(
                RecordKind.RULES,
                bytes,
                reader -> new PlacementRules(
                        reader.text(),
                        reader.i64(),
                        readPairs(reader),
                        readPairs(reader),
                        Set.copyOf(reader.texts(PlacementRules.ENTRIES_MAX))));
    }

    static byte[] encode(GenerationRecord generation) {
        var sampling = generation.sampling();
        return new RecordWriter(RecordKind.GENERATION)
                .text(generation.generationId())
                .text(generation.tenant())
                .text(generation.modelDigest())
                .text(generation.numericsId())
                .ids(generation.promptIds())
                .f64(sampling.temperature())
                .f64(sampling.topP())
                .i32(sampling.topK())
                .f64(sampling.minP())
                .i64(sampling.seed())
                .ids(generation.stopIds())
                .texts(generation.stopStrings())
                .i32(generation.maxTokens())
                .flag(generation.chat())
                .flag(generation.toolsEnabled())
                .flag(generation.startsAsReasoning())
                .i64(generation.createdMillis())
                .toBytes();
    }

    static GenerationRecord decodeGeneration(byte[] bytes) {
        return RecordReader.read(
                RecordKind.GENERATION,
                bytes,
                reader -> new GenerationRecord(
                        reader.text(),
                        reader.text(),
                        reader.text(),
                        reader.text(),
                        reader.ids(Limits.PROMPT_TOKENS),
                        new GenerationRecord.Sampling(
                                reader.f64(), reader.f64(), reader.i32(), reader.f64(), reader.i64()),
                        reader.ids(Limits.STOP_IDS),
                        reader.texts(Limits.STOP_STRINGS),
                        reader.i32(),
                        reader.flag(),
                        reader.flag(),
                        reader.flag(),
                        reader.i64()));
    }

    static byte[] encode(LogSegment segment) {
        return new RecordWriter(RecordKind.LOG_SEGMENT)
                .i32(segment.attempt())
                .ids(segment.ids())
                .toBytes();
    }

    static LogSegment decodeSegment(byte[] bytes) {
        return RecordReader.read(
                RecordKind.LOG_SEGMENT, bytes, reader -> new LogSegment(reader.i32(), reader.ids(LogSegment.IDS_MAX)));
    }

    static byte[] encodeEnd(String finishReason) {
        return new RecordWriter(RecordKind.GENERATION_END).text(finishReason).toBytes();
    }

    static String decodeEnd(byte[] bytes) {
        return RecordReader.read(RecordKind.GENERATION_END, bytes, RecordReader::text);
    }

    private static void writeFacts(RecordWriter writer, PlacementFacts facts) {
        writer.u16(facts.expertsPerLayer()).u16(facts.moeLayers().size());
        facts.moeLayers().forEach(writer::u16);
    }

    private static PlacementFacts readFacts(RecordReader reader) {
        int expertsPerLayer = reader.u16();
        int layerCount = reader.count(reader.u16(), Limits.MOE_LAYERS, 2);
        List<Integer> layers = new ArrayList<>(layerCount);
        for (int i = 0; i < layerCount; i++) {
            layers.add(reader.u16());
        }
        return new PlacementFacts(layers, expertsPerLayer);
    }

    private static void writePairs(RecordWriter writer, Set<ExpertOnWorker> pairs) {
        writer.u16(pairs.size());
        for (ExpertOnWorker pair : pairs) {
            writer.u16(pair.layer()).u16(pair.expert()).text(pair.workerId());
        }
    }

    private static Set<ExpertOnWorker> readPairs(RecordReader reader) {
        int count = reader.count(reader.u16(), PlacementRules.ENTRIES_MAX, 6);
        Set<ExpertOnWorker> pairs = new HashSet<>();
        for (int i = 0; i < count; i++) {
            pairs.add(new ExpertOnWorker(reader.u16(), reader.u16(), reader.text()));
        }
        return pairs;
    }

    private static Set<Role> readRoles(RecordReader reader) {
        int bits = reader.u8();
        if (bits >= 1 << ROLES.size()) {
            throw reader.malformed("has the role bits " + bits + " where " + ROLES.size() + " roles are known");
        }
        Set<Role> roles = EnumSet.noneOf(Role.class);
        for (Role role : ROLES) {
            if ((bits & 1 << ROLES.indexOf(role)) != 0) {
                roles.add(role);
            }
        }
        return roles;
    }

    private static List<String> readReplicas(RecordReader reader, List<String> workers) {
        int count = reader.count(reader.u8(), Limits.REPLICAS, 2);
        List<String> replicas = new ArrayList<>(count);
        for (int i = 0; i < count; i++) {
            int worker = reader.u16();
            if (worker >= workers.size()) {
                throw reader.malformed("names the worker with index " + worker + " of " + workers.size());
            }
            replicas.add(workers.get(worker));
        }
        return replicas;
    }
}
