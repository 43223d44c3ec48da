#!/bin/sh
# Cuts the fonts of this folder out of the installed packages: only the axes and signs that the pages use.
# Needs fonttools and brotli (pip install fonttools brotli). Run from the top of the repository.
set -eu
from=node_modules/@fontsource-variable
to=components/ui/fonts
part="U+0020-007E,U+00A0-00FF,U+0131,U+0152-0153,U+02C6,U+02DC,U+2002-200A,U+2010-2015,U+2018-201E,U+2020-2022,U+2026,U+2030,U+2032-2033,U+2039-203A,U+2044,U+20AC,U+2190-2193,U+2197-2199,U+2122,U+2212,U+2215,U+2248,U+2260,U+2264-2265,U+00D7"
cut() { # name file axes
  fonttools varLib.instancer "$from/$2" $3 -q -o "/tmp/$1.ttf"
  pyftsubset "/tmp/$1.ttf" --unicodes="$part" --layout-features='kern,liga,calt,ccmp,locl,mark,pnum,tnum,onum,lnum,rvrn' --flavor=woff2 --output-file="$to/$1.woff2"
  rm "/tmp/$1.ttf"
}
cut text newsreader/files/newsreader-latin-opsz-normal.woff2 "opsz=17 wght=400"
cut text-bold newsreader/files/newsreader-latin-opsz-normal.woff2 "opsz=17 wght=620"
cut text-italic newsreader/files/newsreader-latin-opsz-italic.woff2 "opsz=17 wght=400"
cut display newsreader/files/newsreader-latin-opsz-normal.woff2 "opsz=60 wght=460"
cut sans instrument-sans/files/instrument-sans-latin-wght-normal.woff2 "wght=400:600"
cut mono jetbrains-mono/files/jetbrains-mono-latin-wght-normal.woff2 "wght=400"
