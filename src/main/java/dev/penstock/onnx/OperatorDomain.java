package dev.penstock.onnx;

import dev.penstock.onnx.attention.AttentionScratch;
import dev.penstock.onnx.experts.ExpertMlp;
import dev.penstock.onnx.gemm.PackedGemm;
import dev.penstock.onnx.parallel.SpinPool;
import java.lang.foreign.Arena;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Our operators as one session knows them, and the working memory that its nodes share. */
final class OperatorDomain implements AutoCloseable {
    private final AttentionScratch attentionScratch = new AttentionScratch();
    private final PackedGemm gemm = new PackedGemm();
    private final ExpertMlp expertMlp = new ExpertMlp();
    private final PackedWeightMemory weights;
    private final @Nullable SpinPool pool;
    private final List<CustomOperator> operators = new ArrayList<>();
    private final long domain;

    /**
     * For a session of so many threads.
     *
     * @param weights packed weights, which the domain closes
     * @param ownThreads whether they are ours; else the operators use ONNX Runtime's
     */
    OperatorDomain(int threads, boolean ownThreads, PackedWeightMemory weights) {
        this.weights = weights;
        pool = ownThreads ? new SpinPool(threads, "onnx-step") : null;
        try (Arena arena = Arena.ofConfined()) {
            long name = arena.allocateFrom(GraphContract.DOMAIN).address();
            domain = OrtApi.create(result -> (long) OrtApi.CREATE_CUSTOM_OP_DOMAIN.invokeExact(name, result));
        }
        try {
            add(new AttentionOperator(attentionScratch), threads);
            add(new PackedMatMulOperator(gemm, weights), threads);
            add(new PackedGatedMatMulOperator(gemm, weights), threads);
            add(new PackedGatherOperator(weights), threads);
            add(new ExpertsOperator(expertMlp), threads);
            add(new PackedExpertsOperator(expertMlp, gemm, weights), threads);
        } catch (Throwable e) {
            close();
            throw OrtApi.rethrow(e);
        }
    }

    private void add(OperatorType type, int threads) throws Throwable {
        CustomOperator operator = new CustomOperator(type, threads, pool);
        operators.add(operator);
        OrtApi.check((long) OrtApi.CUSTOM_OP_DOMAIN_ADD.invokeExact(domain, operator.address()));
    }

    /** The OrtCustomOpDomain. */
    long address() {
        return domain;
    }

    /** Frees all; only after the session is gone. */
    @Override
    public void close() {
        OrtApi.release(OrtApi.RELEASE_CUSTOM_OP_DOMAIN, domain);
        operators.forEach(CustomOperator::close);
        if (pool != null) {
            pool.close();
        }
        gemm.close();
        expertMlp.close();
        attentionScratch.close();
        weights.close();
    }
}
