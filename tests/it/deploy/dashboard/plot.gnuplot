# Draws what the story of the dashboard left in a directory: gnuplot -e "place='DIRECTORY'; plot='FILE.svg'" plot.gnuplot
load place . "/panels.gnuplot"
rows = (panels + 1) / 2
set encoding utf8
set micro
set terminal svg size 1200, 70 + 230 * rows font "sans-serif,12" background rgb "white"
set output plot
array colour[8] = ["#1f4e79", "#d1782f", "#2a9d8f", "#b04a3a", "#7b5ea7", "#8a8a2a", "#4f8fcf", "#555555"]
set multiplot
set xrange [0:end]
set xtics 30 nomirror
set ytics nomirror
set border 3
set grid ytics lc rgb "#e4e4e4"
set object 1 rect from first burst_from, graph 0 to burst_to, graph 1 fc rgb "#f0e6d2" fs solid noborder behind
set object 2 rect from first away_from, graph 0 to away_to, graph 1 fc rgb "#dfe8f2" fs solid noborder behind
set object 3 rect from first mistake_from, graph 0 to mistake_to, graph 1 fc rgb "#c9d6e8" fs solid noborder behind
height = 1 - 40.0 / (70 + 230 * rows)
set label 101 "seven times as many queries" at screen 0.05, 0.985 point pt 5 ps 1.6 lc rgb "#e6d3ad" offset 1.2, 0
set label 102 "dns-0 does not reach the API server" at screen 0.30, 0.985 point pt 5 ps 1.6 lc rgb "#c3d3e6" offset 1.2, 0
set label 103 "and its settings file has a mistake" at screen 0.60, 0.985 point pt 5 ps 1.6 lc rgb "#a3b9d6" offset 1.2, 0
do for [number = 1:panels] {
    column = (number - 1) % 2
    row = (number - 1) / 2
    set lmargin at screen 0.055 + 0.5 * column
    set rmargin at screen 0.345 + 0.5 * column
    top = height * (1 - (row + 0.14) / (rows + 0.08))
    set tmargin at screen top
    set bmargin at screen height * (1 - (row + 0.80) / (rows + 0.08))
    set key at screen 0.350 + 0.5 * column, top left top vertical Left reverse samplen 1.5 width -1 font ",10"
    set title title[number] font ",13" offset 0, -0.6
    set xlabel (row == rows - 1 ? "seconds" : "")
    unset logscale y
    set yrange [0:*]
    set format y "%g"
    if (unit[number] eq "s") { set format y "%.0s %cs" }
    if (unit[number] eq "reqps" || unit[number] eq "ops") { set format y "%g/s" }
    if (unit[number] eq "bytes") { set format y "%.0b %BB" }
    if (how[number] eq "log") { set logscale y; set yrange [*:*]; set autoscale yfix }
    if (title[number] eq "CPU") { set format y "%g"; set ylabel "cores" offset 1 } else { unset ylabel }
    if (title[number] eq "Files refused, by replica") { set yrange [0:1.1]; set ytics 1 } else { set ytics autofreq }
    file = sprintf("%s/%d.dat", place, number)
    stats file using 1:2 nooutput
    if (how[number] eq "stacked") {
        plot for [i = 0:STATS_blocks - 1] file index i using 1:2 with filledcurves y1=0 lc rgb colour[1 + (STATS_blocks - 1 - i) % 8] title columnheader(1)
    } else { if (how[number] eq "steps") {
        plot for [i = 0:STATS_blocks - 1] file index i using 1:2 with steps lw 1.6 lc rgb colour[1 + i % 8] title columnheader(1)
    } else {
        plot for [i = 0:STATS_blocks - 1] file index i using 1:2 with lines lw 1.6 lc rgb colour[1 + i % 8] title columnheader(1)
    } }
    unset label
}
unset multiplot
