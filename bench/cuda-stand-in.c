/* What must do something for ONNX Runtime's CUDA provider to come up; see cuda-stand-in. One device of compute
 * capability 8.0, whose memory is the host's. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int handle; /* of any stream, event or library */

static void trace(const char *what, size_t bytes, int kind) {
  if (getenv("STAND_IN_TRACE")) {
    fprintf(stderr, "%s %zu bytes, kind %d\n", what, bytes, kind);
  }
}

/* Devices. */
int cudaGetDeviceCount(int *n) { return *n = 1, 0; }
int cudaGetDevice(int *n) { return *n = 0; }
int cudaSetDevice(int n) { return n == 0 ? 0 : 101; /* cudaErrorInvalidDevice */ }
int cudaDriverGetVersion(int *v) { return *v = 12080, 0; }
int cudaRuntimeGetVersion(int *v) { return *v = 12080, 0; }
int cudaGetDriverEntryPoint(const char *name, void **p) { return *p = 0, 0; }
const char *cudaGetErrorName(int e) { return "stand-in"; }
const char *cudaGetErrorString(int e) { return "an error of the stand-in"; }

int cudaDeviceGetAttribute(int *v, int attribute, int device) {
  switch (attribute) {
    case 1: *v = 1024; break;    /* threads of a block */
    case 8: *v = 49152; break;   /* shared memory of a block */
    case 10: *v = 32; break;     /* warp */
    case 16: *v = 108; break;    /* multiprocessors */
    case 39: *v = 2048; break;   /* threads of a multiprocessor */
    case 75: *v = 8; break;      /* compute capability, major */
    case 81: *v = 167936; break; /* shared memory of a multiprocessor */
    case 97: *v = 166912; break; /* shared memory of a block that asks for more */
    default: *v = 0;
  }
  return 0;
}

/* struct cudaDeviceProp of CUDA 12, 1032 bytes. */
int cudaGetDeviceProperties_v2(char *p, int device) {
  memset(p, 0, 1032);
  strcpy(p, "stand-in");
  *(size_t *)(p + 288) = 80ull << 30; /* totalGlobalMem */
  *(size_t *)(p + 296) = 49152;       /* sharedMemPerBlock */
  *(int *)(p + 304) = 65536;          /* regsPerBlock */
  *(int *)(p + 308) = 32;             /* warpSize */
  *(int *)(p + 320) = 1024;           /* maxThreadsPerBlock */
  int limits[] = {1024, 1024, 64, 2147483647, 65535, 65535};
  memcpy(p + 324, limits, sizeof limits); /* maxThreadsDim, maxGridSize */
  *(int *)(p + 360) = 8;                  /* major */
  *(int *)(p + 388) = 108;                /* multiProcessorCount */
  return 0;
}

/* Memory. */
int cudaMemGetInfo(size_t *free, size_t *total) { return *free = 40ull << 30, *total = 80ull << 30, 0; }
int cudaMalloc(void **p, size_t n) { return (*p = aligned_alloc(256, (n + 255) / 256 * 256)) ? 0 : 2; }
int cudaMallocFromPoolAsync(void **p, size_t n) { return cudaMalloc(p, n); }
int cudaMallocHost(void **p, size_t n) { return cudaMalloc(p, n); }
int cudaHostAlloc(void **p, size_t n) { return cudaMalloc(p, n); }
int cudaFree(void *p) { return free(p), 0; }
int cudaFreeAsync(void *p) { return free(p), 0; }
int cudaFreeHost(void *p) { return free(p), 0; }
int cudaMemset(void *d, int v, size_t n) { return memset(d, v, n), 0; }
int cudaMemsetAsync(void *d, int v, size_t n) { return memset(d, v, n), 0; }
int cudaMemcpy(void *d, const void *s, size_t n, int kind) { return trace("copy", n, kind), memcpy(d, s, n), 0; }
int cudaMemcpyAsync(void *d, const void *s, size_t n, int kind) { return cudaMemcpy(d, s, n, kind); }

/* Streams, events, kernels. */
int cudaStreamCreate(void **s) { return *s = &handle, 0; }
int cudaStreamCreateWithFlags(void **s) { return *s = &handle, 0; }
int cudaStreamIsCapturing(void *s, int *v) { return *v = 0; }
int cudaEventCreate(void **e) { return *e = &handle, 0; }
int cudaEventCreateWithFlags(void **e) { return *e = &handle, 0; }
int cudaFuncGetAttributes(void *attributes) { return memset(attributes, 0, 64), 0; }
int cudaOccupancyMaxActiveBlocksPerMultiprocessorWithFlags(int *n) { return *n = 1, 0; }
int cudaLaunchKernel(void) { return trace("launch", 0, 0), 0; }
int cudaLaunchKernelExC(void) { return trace("launch", 0, 0), 0; }
void *__cudaRegisterFatBinary(void) { return &handle; }

/* cuBLAS. */
int cublasCreate_v2(void **h) { return *h = &handle, 0; }
int cublasGetMathMode(void *h, int *mode) { return *mode = 0; }
int cublasGemmEx(void) { return trace("product", 0, 0), 0; }
const char *cublasGetStatusName(int e) { return "stand-in"; }
const char *cublasGetStatusString(int e) { return "an error of the stand-in"; }
int cublasLtCreate(void **h) { return *h = &handle, 0; }
int cublasLtMatmulDescCreate(void **d) { return *d = &handle, 0; }
int cublasLtMatrixLayoutCreate(void **d) { return *d = &handle, 0; }
int cublasLtMatmulPreferenceCreate(void **d) { return *d = &handle, 0; }
