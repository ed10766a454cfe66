package org.bergfried.worker.trunk;

import java.lang.foreign.Arena;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;
import org.bergfried.worker.kernel.AttentionShape;
import org.bergfried.worker.kernel.Backend;
import org.bergfried.worker.kernel.Matrix;
import org.bergfried.worker.kernel.Product;
import org.bergfried.worker.kernel.RopeShape;
import org.bergfried.worker.kvcache.KvCache;
import org.bergfried.worker.model.AttentionSpec;
import org.bergfried.worker.model.RopeSpec;
import org.bergfried.worker.model.TrunkTensors;
import org.bergfried.worker.tensor.Buffer;
import org.bergfried.worker.tensor.Codes;
import org.bergfried.worker.tensor.Rows;
import org.jspecify.annotations.Nullable;

/// Multi-head latent attention (DeepSeek-V2, section 2.1), absorbed in prefill and decode alike: queries are taken
/// into the space of the cached latent, so one cached row (latent after its norm, rotated key) serves as the key of
/// all heads, and its latent as their value.
final class LatentAttention implements Attention {
    private final Backend backend;
    private final StepRows step;
    private final KvCache cache;
    private final Buffer ropeTable; // float32 [positionsMax, ropeColumns / 2, 2]
    private final int layer;
    private final AttentionSpec.Latent spec;
    private final float normEpsilon;
    private final AttentionShape shape;
    private final RopeShape queryRope;
    private final RopeShape keyRope;

    private final @Nullable Matrix queryDown; // [queryRank, hiddenSize]
    private final @Nullable Matrix queryNorm; // [1, queryRank]
    private final Matrix queryUp; // [heads * (nopeColumns + ropeColumns), queryRank or hiddenSize]
    private final Matrix kvDown; // [kvRank + ropeColumns, hiddenSize]
    private final Matrix kvNorm; // [1, kvRank]
    private final List<Product> keyUp; // per head [kvRank, nopeColumns]
    private final List<Product> valueUp; // per head [valueColumns, kvRank]
    private final Matrix outputProj; // [hiddenSize, heads * valueColumns]

    private final Operand queryLatent; // [n, queryRank]
    private final Rows query; // [n, heads * (nopeColumns + ropeColumns)]
    private final Rows absorbed; // [n, heads * (kvRank + ropeColumns)]
    private final Rows kv; // [n, kvRank + ropeColumns]
    private final Rows latents; // [n, heads * kvRank], cached latents weighed by the softmax
    private final Operand mixed; // [n, heads * valueColumns]
    private final Buffer identity; // int32 [n * heads]: 0, 1, 2 ...

    LatentAttention(TrunkCore core, int layer, Memory memory, TrunkTensors.Latent tensors) {
        backend = core.backend();
        step = core.step();
        cache = core.cache();
        ropeTable = core.ropeTable();
        this.layer = layer;
        spec = memory.spec;
        normEpsilon = core.spec().normEpsilon();
        int keyColumns = spec.cacheColumns();
        shape = new AttentionShape(spec.heads(), 1, keyColumns, spec.kvRank(), 0, 0, spec.scale());
        RopeSpec rope = core.spec().rope();
        queryRope = new RopeShape(spec.heads(), keyColumns, rope.columns(), rope.interleaved());
        keyRope = new RopeShape(1, keyColumns, rope.columns(), rope.interleaved());

        TrunkMatrices matrices = core.matrices();
        queryDown = matrices.loadIfPresent(tensors.queryDown());
        queryNorm = matrices.loadIfPresent(tensors.queryNorm());
        queryUp = matrices.load(tensors.queryUp());
        kvDown = matrices.load(tensors.kvDown());
        kvNorm = matrices.load(tensors.kvNorm());
        List<Matrix> keyHalves = matrices.load(tensors.keyUp());
        List<Matrix> valueHalves = matrices.load(tensors.valueUp());
        outputProj = matrices.load(tensors.output());

        queryLatent = new Operand(backend, memory.queryLatent, memory.queryLatentCodes);
        query = memory.query;
        absorbed = memory.absorbed;
        kv = memory.kv;
        latents = memory.latents;
        mixed = new Operand(backend, memory.mixed, memory.mixedCodes);
        identity = memory.identity;
        int queryColumns = spec.nopeColumns() + spec.ropeColumns();
        keyUp = products(keyHalves, query, queryColumns, memory.nopeCodes, absorbed, keyColumns);
        valueUp = products(valueHalves, latents, spec.kvRank(), memory.latentCodes, memory.mixed, spec.valueColumns());
    }

    /// One product per head; head `h` reads from column `h * xColumns` and writes from column `h * yColumns`.
    private static List<Product> products(
            List<Matrix> ofHead, Rows x, int xColumns, List<Codes> codes, Rows y, int yColumns) {
        return IntStream.range(0, ofHead.size())
                .mapToObj(head -> new Product(
                        ofHead.get(head), x.right(head * xColumns), codes.get(head), y.right(head * yColumns)))
                .toList();
    }

    @Override
    public void run(Operand normed, Rows y) {
        int n = step.count();
        latentAndKey(normed, n);
        query(normed, n);
        absorb(n);
        backend.attention(shape, absorbed, n, step.cacheView(layer), latents);
        values(n);
        mixed.multiply(outputProj, n, y);
    }

    /// The latent after its norm and the rotated key, stored as one cached row.
    private void latentAndKey(Operand normed, int n) {
        normed.multiply(kvDown, n, kv);
        backend.rmsNorm(kv, n, kvNorm, normEpsilon, kv);
        backend.rope(kv.right(spec.kvRank()), n, keyRope, step.positions(), ropeTable);
        backend.store(
                kv, n, spec.cacheColumns(), cache.buffer(), cache.layerOffset(layer), cache.rowStride(), step.slots());
    }

    private void query(Operand normed, int n) {
        if (queryDown == null || queryNorm == null) {
            normed.multiply(queryUp, n, query);
            return;
        }
        Rows rows = queryLatent.rewrite();
        normed.multiply(queryDown, n, rows);
        backend.rmsNorm(rows, n, queryNorm, normEpsilon, rows);
        queryLatent.multiply(queryUp, n, query);
    }

    /// `absorbed = [keyUp * qNope | rope(qRope)]` for each head.
    private void absorb(int n) {
        multiplyHeads(keyUp, n);
        int keyColumns = spec.cacheColumns();
        int queryColumns = spec.nopeColumns() + spec.ropeColumns();
        Rows from = Rows.of(query.buffer(), queryColumns).right(spec.nopeColumns());
        Rows to = Rows.of(absorbed.buffer(), keyColumns).right(spec.kvRank());
        backend.gather(from, identity, n * spec.heads(), spec.ropeColumns(), to);
        backend.rope(absorbed.right(spec.kvRank()), n, queryRope, step.positions(), ropeTable);
    }

    /// `mixed = valueUp * latent` for each head.
    private void values(int n) {
        mixed.rewrite();
        multiplyHeads(valueUp, n);
    }

    private void multiplyHeads(List<Product> ofHead, int n) {
        for (Product product : ofHead) {
            if (product.w().type().integerCoded()) {
                backend.quantise(product.x(), n, product.codes());
            }
        }
        backend.multiplyAll(ofHead, n);
    }

    /// Memory that all layers use in turn.
    ///
    /// @param queryLatent float32 `[rowsMax, queryRank]`, and its codes.
    /// @param query       float32 `[rowsMax, heads * (nopeColumns + ropeColumns)]`.
    /// @param nopeCodes   per head `[rowsMax, nopeColumns]`.
    /// @param absorbed    float32 `[rowsMax, heads * (kvRank + ropeColumns)]`.
    /// @param kv          float32 `[rowsMax, kvRank + ropeColumns]`.
    /// @param latents     float32 `[rowsMax, heads * kvRank]`.
    /// @param latentCodes per head `[rowsMax, kvRank]`.
    /// @param mixed       float32 `[rowsMax, heads * valueColumns]`, and its codes.
    /// @param identity    int32 `[rowsMax * heads]`: 0, 1, 2 ...
    record Memory(
            AttentionSpec.Latent spec,
            Rows queryLatent,
            Codes queryLatentCodes,
            Rows query,
            List<Codes> nopeCodes,
            Rows absorbed,
            Rows kv,
            Rows latents,
            List<Codes> latentCodes,
            Rows mixed,
            Codes mixedCodes,
            Buffer identity)
            implements AttentionMemory {
        static Memory allocate(Allocator allocator, AttentionSpec.Latent spec, int rowsMax) {
            int heads = spec.heads();
            return new Memory(
                    spec,
                    allocator.rows(rowsMax, spec.queryRank()),
                    allocator.codes(rowsMax, spec.queryRank()),
                    allocator.rows(rowsMax, heads * (spec.nopeColumns() + spec.ropeColumns())),
                    codes(allocator, heads, rowsMax, spec.nopeColumns()),
                    allocator.rows(rowsMax, heads * spec.cacheColumns()),
                    allocator.rows(rowsMax, spec.cacheColumns()),
                    allocator.rows(rowsMax, heads * spec.kvRank()),
                    codes(allocator, heads, rowsMax, spec.kvRank()),
                    allocator.rows(rowsMax, heads * spec.valueColumns()),
                    allocator.codes(rowsMax, heads * spec.valueColumns()),
                    allocator.ints((long) rowsMax * heads));
        }

        private static List<Codes> codes(Allocator allocator, int heads, int rowsMax, int columns) {
            return IntStream.range(0, heads)
                    .mapToObj(head -> allocator.codes(rowsMax, columns))
                    .toList();
        }

        /// Fills what stays the same in every step.
        void initialise(Backend backend) {
            int[] numbers = new int[(int) (identity.byteSize() / Integer.BYTES)];
            Arrays.setAll(numbers, i -> i);
            try (Arena arena = Arena.ofConfined()) {
                backend.write(arena.allocateFrom(ValueLayout.JAVA_INT, numbers), identity, 0);
            }
        }
    }
}
