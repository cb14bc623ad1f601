/* Stands in for libcuda.so when a program is linked, and hands each call on to the driver when one is made. A machine
 * that builds need have no driver, and a program that was linked with this starts where there is none: it has no NEEDED
 * libcuda.so.1. Holds the functions that ggml-cuda calls itself; a linker that misses one names it, and it belongs here.
 * The CUDA runtime finds the driver in the same way, by itself. */
#include <cuda.h>
#include <dlfcn.h>
#include <pthread.h>
#include <stddef.h>

static pthread_once_t looked = PTHREAD_ONCE_INIT;
static void *driver = NULL;

static void look(void) { driver = dlopen("libcuda.so.1", RTLD_NOW | RTLD_LOCAL); }

static void *function(const char *name) {
    pthread_once(&looked, look);
    return driver == NULL ? NULL : dlsym(driver, name);
}

/* cuda.h gives some functions another name (cuMemCreate_v2 and the like): twice, so that this one is what is asked for. */
#define NAME(function) NAME_OF(function)
#define NAME_OF(function) #function

#define HAND_ON(name, parameters, arguments)                           \
    CUresult CUDAAPI name parameters {                                 \
        CUresult(CUDAAPI * real) parameters = function(NAME(name));    \
        return real == NULL ? CUDA_ERROR_STUB_LIBRARY : real arguments; \
    }

HAND_ON(cuDeviceGet, (CUdevice * device, int ordinal), (device, ordinal))
HAND_ON(cuDeviceGetAttribute, (int *value, CUdevice_attribute attribute, CUdevice device), (value, attribute, device))
HAND_ON(cuMemAddressFree, (CUdeviceptr start, size_t bytes), (start, bytes))
HAND_ON(cuMemAddressReserve,
        (CUdeviceptr * start, size_t bytes, size_t alignment, CUdeviceptr wanted, unsigned long long flags),
        (start, bytes, alignment, wanted, flags))
HAND_ON(cuMemCreate,
        (CUmemGenericAllocationHandle * handle, size_t bytes, const CUmemAllocationProp *properties,
         unsigned long long flags),
        (handle, bytes, properties, flags))
HAND_ON(cuMemGetAllocationGranularity,
        (size_t *granularity, const CUmemAllocationProp *properties, CUmemAllocationGranularity_flags option),
        (granularity, properties, option))
HAND_ON(cuMemMap,
        (CUdeviceptr start, size_t bytes, size_t offset, CUmemGenericAllocationHandle handle, unsigned long long flags),
        (start, bytes, offset, handle, flags))
HAND_ON(cuMemRelease, (CUmemGenericAllocationHandle handle), (handle))
HAND_ON(cuMemSetAccess, (CUdeviceptr start, size_t bytes, const CUmemAccessDesc *access, size_t count),
        (start, bytes, access, count))
HAND_ON(cuMemUnmap, (CUdeviceptr start, size_t bytes), (start, bytes))

CUresult CUDAAPI cuGetErrorString(CUresult error, const char **text) {
    CUresult(CUDAAPI * real)(CUresult, const char **) = function("cuGetErrorString");
    if (real != NULL) {
        return real(error, text);
    }
    *text = "no NVIDIA driver: libcuda.so.1 was not found";
    return CUDA_SUCCESS;
}
