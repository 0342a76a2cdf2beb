// Enhances the report: the page is complete without it.
import { enhanceCharts } from "./charts";
import { enhanceNumbers } from "./numbers";
import { enhanceRacks } from "./racks";
import { enhanceTables } from "./tables";
import { enhanceCandidates } from "./candidates";
import { enhanceHelp } from "./help";

const redraw = enhanceCharts();
enhanceCandidates(redraw);
enhanceRacks();
enhanceTables();
enhanceNumbers();
enhanceHelp();
