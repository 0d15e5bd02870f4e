# Plots the points of `cargo bench --bench churn -- --points FILE`: gnuplot -e "data='FILE'; plot='FILE.svg'" plot.gnuplot
# A still service, the first of the four, is never wrong and has no place on logarithmic axes.
set terminal svg size 960,420 font "sans-serif,13" background rgb "white"
set output plot
array name[3] = ["rolling updates", "autoscaling", "a flapping pod"]
array left[3] = [0.09, 0.40, 0.71]
set multiplot
set logscale xy
set xrange [8:4000]
set yrange [1:1000]
set xlabel "queries an hour"
set grid lc rgb "#dddddd"
unset key
set label 1 "fixed: 300, 30, 5 s" at screen 0.10, 0.06 point pt 7 ps 0.9 lc rgb "#b04a3a" offset 1.2,0
set label 2 "churn: 5 to 300 s" at screen 0.34, 0.06 point pt 5 ps 1.1 lc rgb "#1f4e79" offset 1.2,0
set label 3 "churn: 5 to 60 s" at screen 0.54, 0.06 point pt 9 ps 1.3 lc rgb "#2a9d8f" offset 1.2,0
set label 4 "churn: 1 to 60 s, weight 20" at screen 0.73, 0.06 point pt 13 ps 1.3 lc rgb "#7b5ea7" offset 1.2,0
set tmargin at screen 0.90
set bmargin at screen 0.30
do for [stream = 1:3] {
    set lmargin at screen left[stream]
    set rmargin at screen left[stream] + 0.265
    set title name[stream]
    set ylabel (stream == 1 ? "wrong seconds an hour" : "")
    plot data index stream using 1:($3 == 0 ? $2 : NaN) with linespoints pt 7 ps 0.9 lw 1.5 lc rgb "#b04a3a", \
         data index stream every ::5::5 using 1:2 with points pt 5 ps 1.1 lc rgb "#1f4e79", \
         data index stream every ::4::4 using 1:2 with points pt 9 ps 1.3 lc rgb "#2a9d8f", \
         data index stream every ::3::3 using 1:2 with points pt 13 ps 1.3 lc rgb "#7b5ea7"
    unset label
}
