# Writes the description down as `KEY=value` lines for the test to read.
set(_lines)
foreach(_key IN ITEMS HOMEPAGE CATEGORY CONTRIBUTORS DESCRIPTION ICONURL SCREENSHOTURLS STATUS DEPENDS
    BUILD_SUBDIRECTORY ENABLED)
  if("${EXTENSION_${_key}}" STREQUAL "")
    message(FATAL_ERROR "CMake variable EXTENSION_${_key} is empty !")
  endif()
  string(APPEND _lines "${_key}=${EXTENSION_${_key}}\n")
endforeach()
file(WRITE "${CMAKE_BINARY_DIR}/extension-description.txt" "${_lines}")
