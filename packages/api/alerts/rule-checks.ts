import { checkRuleTemplate } from '#alerts/rules/rule-templates.ts';
import { parseExpr } from '#query/promql/parse.ts';

/** How expressions and templates of rules are checked, wherever they come from. */
export const RULE_CHECKS = { checkExpr: parseExpr, checkTemplate: checkRuleTemplate };
