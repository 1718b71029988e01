package dev.penstock.ops;

import dev.penstock.engine.RunnerConfig;
import dev.penstock.hardware.MachineMemory;
import dev.penstock.model.DecoderShape;
import dev.penstock.onnx.attention.AttentionCall;

/**
 * How large a model's KV cache is: what was configured, or else room for the whole batch at full context, but never more
 * than the model's part of a quarter of the machine's memory. It is address space first: memory is taken as blocks are
 * used.
 */
record KvSpace(ModelSettings settings, PenstockConfig.Engine engine, int models) {
    /** Throws StartException where blocks can't have the wanted size. */
    KvSpace {
        int tokens = engine.blockSize();
        if (tokens < AttentionCall.KEY_GROUP || tokens % AttentionCall.KEY_GROUP != 0) {
            throw new StartException("penstock.engine.block-size is " + tokens + "; it must be a multiple of "
                    + AttentionCall.KEY_GROUP + ".");
        }
    }

    /** The rest is for weights, other programs and the file cache that serves the weights. */
    private static final int MACHINE_SHARE = 4;

    static KvSpace of(ModelSettings settings, PenstockConfig.Engine engine, int models) {
        return new KvSpace(settings, engine, models);
    }

    RunnerConfig runnerConfig(DecoderShape shape) {
        return new RunnerConfig(
                settings.threads(),
                settings.kvType(),
                engine.blockSize(),
                blocks(shape, MachineMemory.totalBytes()),
                engine.maxStepTokens(),
                engine.maxRunning());
    }

    /** Blocks on a machine with that much memory. Throws StartException where it is not enough for one. */
    int blocks(DecoderShape shape, long machineBytes) {
        long blockBytes = engine.blockSize() * shape.kvBytesPerToken(settings.kvType());
        long blocksPerSequence = (shape.contextLength() + engine.blockSize() - 1L) / engine.blockSize();
        long wanted = settings.kvCacheBytes().isPresent()
                ? settings.kvCacheBytes().getAsLong() / blockBytes
                : Math.min(blocksPerSequence * engine.maxRunning(), machineBytes / MACHINE_SHARE / models / blockBytes);
        if (wanted < 1) {
            throw new StartException("The KV cache of the model " + settings.name() + " is smaller than a block of "
                    + blockBytes + " bytes; raise kv-cache.");
        }
        return (int) Math.min(wanted, Integer.MAX_VALUE);
    }
}
