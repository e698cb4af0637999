# The libraries that ascore is linked with, as targets ascore_external::*. Used by the build and by the installed
# package alike. Each is found by its header and library file: Debian's package files are missing for some (stb), insist
# on things not needed for others (oneDNN on OpenCL), and a folder made by tools/pack_deps.sh has none at all.
include(${CMAKE_CURRENT_LIST_DIR}/AscoreExternal.cmake)
find_package(Threads REQUIRED)
find_package(OpenMP REQUIRED COMPONENTS CXX)
if(ASCORE_FMT_HEADER_ONLY)
  ascore_external(fmt HEADER fmt/format.h)
  if(TARGET ascore_external::fmt)
    target_compile_definitions(ascore_external::fmt INTERFACE FMT_HEADER_ONLY)
  endif()
else()
  ascore_external(fmt HEADER fmt/format.h LIBRARY fmt)
endif()
ascore_external(zlib HEADER zlib.h LIBRARY z)
ascore_external(lmdb HEADER lmdb.h LIBRARY lmdb)
ascore_external(webp HEADER webp/decode.h LIBRARY webp)
ascore_external(boost_context HEADER boost/context/fiber.hpp LIBRARY boost_context)
ascore_external(dnnl HEADER oneapi/dnnl/dnnl.hpp LIBRARY dnnl)
