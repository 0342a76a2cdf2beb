#pragma once

namespace rackwright::results {

/// Style of the cabling drawings: the colour tokens of the report, light and dark.
inline constexpr const char* kCablingStyle = R"(
svg{--bg:#fff;--surface:#f4f6f8;--ink:#14181d;--ink2:#434c57;--ink3:#626c78;--rule:#d3d9df;
--rule2:#8d97a3;--node:#0b5cad;--tier:#00805f;--core:#8f1074;--over:#c2500a;
--r1:#eff3ff;--r2:#c6dbef;--r3:#9ecae1;--r4:#6baed6;--r5:#2b78b5;--r6:#2171b5;--r7:#084594;
background:var(--bg);font-family:Inter,"Segoe UI",Roboto,"Helvetica Neue",Arial,sans-serif;
font-size:12.5px;font-variant-numeric:tabular-nums lining-nums;fill:var(--ink)}
@media (prefers-color-scheme:dark){svg{--bg:#13161a;--surface:#1c2026;--ink:#eef1f4;
--ink2:#bcc4cd;--ink3:#97a1ad;--rule:#333a43;--rule2:#6b7683;--node:#7ab8ff;--tier:#3fe0ac;
--core:#e0348c;--over:#f08a4b;--r1:#0c2340;--r2:#123a68;--r3:#184f8b;--r4:#1f64ab;--r5:#62aae0;
--r6:#9ecae1;--r7:#deebf7}}
.title{font-size:19px;font-weight:650}.note{fill:var(--ink2)}.small{font-size:10.5px}
.frame{fill:none;stroke:var(--rule2);stroke-width:1.5}.bay{fill:var(--surface);stroke:none}
.dev{fill:var(--bg);stroke:var(--rule2)}.sw{fill:var(--rule);stroke:var(--rule2)}
.tray{fill:var(--surface);stroke:var(--rule2)}.e{text-anchor:end}.m{text-anchor:middle}
.run{fill:none;stroke-linejoin:round;stroke-linecap:butt;opacity:.85}
.run:hover{opacity:1;stroke-width:5}
.node{stroke:var(--node)}.tier{stroke:var(--tier)}.core{stroke:var(--core)}
.cu{stroke-dasharray:7 3}.stub{fill:none;stroke-width:1;opacity:.7}
.f1{fill:var(--r1)}.f2{fill:var(--r2)}.f3{fill:var(--r3)}.f4{fill:var(--r4)}.f5{fill:var(--r5)}
.f6{fill:var(--r6)}.f7{fill:var(--r7)}.over{fill:var(--over)}.seg{stroke:var(--rule2);stroke-width:.5}
.blank{fill:none;stroke:var(--rule2);stroke-dasharray:3 3}
)";

}  // namespace rackwright::results
