package dev.penstock.ops;

import dev.penstock.engine.EngineOptions;
import dev.penstock.engine.RunnerConfig;
import dev.penstock.hardware.Gpu;
import dev.penstock.hardware.Gpus;
import dev.penstock.hardware.MachineMemory;
import dev.penstock.model.DecoderShape;
import dev.penstock.model.Device;
import dev.penstock.onnx.attention.AttentionCall;
import java.util.List;

/**
 * How large a model's KV cache is: what was configured, or else room for the whole batch at full context, but never more
 * than the model's part of a quarter of the machine's memory, where it is address space first: memory is taken as blocks
 * are used; or, on a GPU, of what the weights will leave free of it.
 */
record KvSpace(ModelSettings settings, PenstockConfig.Engine engine, int models) {
    private static final int DEFAULT_BLOCK = 16;

    /** With this CUDA's FlashAttention reads the cache in place for heads of any size. */
    private static final int DEFAULT_CUDA_BLOCK = 256;

    /** Throws StartException where blocks can't have the wanted size. */
    KvSpace {
        if (engine.blockSize().isPresent()) {
            int tokens = engine.blockSize().getAsInt();
            boolean cuda = settings.device() instanceof Device.Cuda;
            if (tokens < AttentionCall.KEY_GROUP
                    || tokens % AttentionCall.KEY_GROUP != 0
                    || cuda && Integer.bitCount(tokens) != 1) {
                throw new StartException("penstock.engine.block-size is %d; it must be a multiple of %d%s."
                        .formatted(tokens, AttentionCall.KEY_GROUP, cuda ? " and a power of two" : ""));
            }
        }
    }

    /** The rest is for weights, other programs and the file cache that serves the weights. */
    private static final int MACHINE_SHARE = 4;

    /** Throws StartException where there can be no cache, as far as that shows before the model is built. */
    static KvSpace of(ModelSettings settings, PenstockConfig.Engine engine, int models) {
        if (settings.device() instanceof Device.Cuda cuda
                && settings.kvCacheBytes().isEmpty()) {
            gpu(settings, cuda, Gpus.find());
        }
        return new KvSpace(settings, engine, models);
    }

    /**
     * How to open a variant.
     *
     * @param weightBytes bytes of its weights
     * @throws StartException there is no room for its cache
     */
    RunnerConfig runnerConfig(DecoderShape shape, long weightBytes) {
        return new RunnerConfig(
                settings.device(),
                settings.threads(),
                settings.kvType(),
                blockSize(),
                switch (settings.device()) {
                    case Device.Cpu() -> blocks(shape, MachineMemory.here().totalBytes());
                    case Device.Cuda cuda -> cudaBlocks(shape, weightBytes, cuda, Gpus.find());
                },
                engine.maxStepTokens(),
                Math.min(engine.maxStepTokens(), engine.maxRunning() + EngineOptions.SPARE_ROWS));
    }

    private int blockSize() {
        return engine.blockSize().orElse(settings.device() instanceof Device.Cuda ? DEFAULT_CUDA_BLOCK : DEFAULT_BLOCK);
    }

    /** Blocks on one of these GPUs. Throws StartException. */
    int cudaBlocks(DecoderShape shape, long weightBytes, Device.Cuda device, List<Gpu> gpus) {
        if (settings.kvCacheBytes().isPresent()) {
            return blocksWithin(shape, 0);
        }
        return blocksWithin(shape, Math.max(0, gpu(settings, device, gpus).usableBytes() - weightBytes));
    }

    private static Gpu gpu(ModelSettings settings, Device.Cuda device, List<Gpu> gpus) {
        return gpus.stream()
                .filter(g -> g.index() == device.index())
                .findFirst()
                .orElseThrow(() -> new StartException("The model " + settings.name() + " is to run on " + device.label()
                        + ", but NVIDIA's driver names no such GPU. If there is one all the same, set kv-cache."));
    }

    /** Blocks on a machine with that much memory. Throws StartException where it is not enough for one. */
    int blocks(DecoderShape shape, long machineBytes) {
        return blocksWithin(shape, machineBytes / MACHINE_SHARE);
    }

    /** Blocks where there is so much room for all models. */
    private int blocksWithin(DecoderShape shape, long bytes) {
        long blockBytes = blockSize() * shape.kvBytesPerToken(settings.kvType());
        long blocksPerSequence = Math.ceilDiv(shape.contextLength(), blockSize());
        long wanted = settings.kvCacheBytes().isPresent()
                ? settings.kvCacheBytes().getAsLong() / blockBytes
                : Math.min(blocksPerSequence * engine.maxRunning(), bytes / models / blockBytes);
        if (wanted < 1) {
            throw new StartException("The KV cache of the model " + settings.name() + " is smaller than a block of "
                    + blockBytes + " bytes; raise kv-cache.");
        }
        return (int) Math.min(wanted, Integer.MAX_VALUE);
    }
}
