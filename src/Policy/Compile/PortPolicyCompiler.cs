using System;
using System.Collections.Generic;
using Postern.Policy.Config;
using Postern.Policy.Http;
using Postern.Policy.Matching;

namespace Postern.Policy.Compile;

/// <summary>Compiles rules and sorted rule lists, sharing every equal part within an update and with the snapshot before it.</summary>
internal sealed class PortPolicyCompiler
{
    private readonly Dictionary<RuleListKey, PortPolicy> ports = [];
    private readonly Dictionary<IdentityTable, IdentityTable> tables = [];
    private readonly Dictionary<PortRuleConfig, RuleBody> bodies = [];
    private readonly Dictionary<EquatableList<HttpRuleConfig>, HttpRuleSet> httpRules = [];
    private readonly Dictionary<HttpRuleConfig, HttpRule> httpRule = [];
    private readonly Dictionary<StringMatcherConfig, TextMatcher> matchers = [];
    private readonly Dictionary<string, SniPattern> serverNames = new(StringComparer.Ordinal);

    public PortPolicyCompiler(PolicySnapshot previous)
    {
        foreach (var endpoint in previous.Endpoints)
        {
            foreach (var direction in new[] { TrafficDirection.Ingress, TrafficDirection.Egress })
            {
                foreach (var range in endpoint.For(direction).Ranges)
                {
                    if (!ports.TryAdd(range.Policy.Key, range.Policy))
                    {
                        continue;
                    }
                    tables.TryAdd(range.Policy.Identities, range.Policy.Identities);
                    foreach (var set in range.Policy.HttpRuleSets)
                    {
                        httpRules.TryAdd(set.Config, set);
                    }
                }
            }
        }
    }

    /// <exception cref="FieldException">A field of the rule is refused.</exception>
    /// <exception cref="PolicyConfigException">The rule is refused with a text of Cilium's.</exception>
    public RuleEntry CompileRule(PortRuleConfig config)
    {
        var key = config.RemotePolicies.Count == 0 ? config : config with { RemotePolicies = EquatableList<uint>.Empty };
        if (!bodies.TryGetValue(key, out var body))
        {
            PolicyValidator.CheckRule(config);
            body = CompileBody(config);
            bodies.Add(key, body);
        }
        return new RuleEntry(config, body);
    }

    /// <summary>Builds the identity index of a sorted rule list. See <see cref="RuleClass"/> for its form.</summary>
    public PortPolicy Compile(RuleEntry[] rules)
    {
        var key = new RuleListKey(rules);
        if (ports.TryGetValue(key, out var known))
        {
            return known;
        }
        var any = new List<RuleBody>();
        var own = new Dictionary<uint, List<(RuleBody Body, int Gap, int Rule)>>();
        var sets = new HashSet<HttpRuleSet>();
        var otherProtocols = false;
        for (var number = 0; number < rules.Length; number++)
        {
            var rule = rules[number];
            otherProtocols |= rule.Body.IsOtherProtocol;
            if (rule.Body.HttpRules is not null)
            {
                sets.Add(rule.Body.HttpRules);
            }
            if (rule.Config.RemotePolicies.Count == 0)
            {
                any.Add(rule.Body);
                continue;
            }
            foreach (var identity in rule.Config.RemotePolicies.AsSpan())
            {
                if (!own.TryGetValue(identity, out var row))
                {
                    own.Add(identity, row = new List<(RuleBody, int, int)>(1));
                }
                // An identity named twice by one rule must not run its header matches twice.
                if (row.Count == 0 || row[^1].Rule != number)
                {
                    row.Add((rule.Body, any.Count, number));
                }
            }
        }
        var compiled = Index(key, [.. any], own, [.. sets], otherProtocols);
        ports.Add(key, compiled);
        return compiled;
    }

    private PortPolicy Index(RuleListKey key, RuleBody[] any, Dictionary<uint, List<(RuleBody Body, int Gap, int Rule)>> own, HttpRuleSet[] sets, bool otherProtocols)
    {
        var numbers = new Dictionary<RuleClass, int>();
        var classes = new List<RuleClass>();
        var entries = new KeyValuePair<uint, int>[own.Count];
        var at = 0;
        foreach (var (identity, row) in own)
        {
            var bodies = new RuleBody[row.Count];
            var gaps = new int[row.Count];
            for (var i = 0; i < bodies.Length; i++)
            {
                (bodies[i], gaps[i], _) = row[i];
            }
            var @class = new RuleClass(bodies, gaps);
            if (!numbers.TryGetValue(@class, out var number))
            {
                numbers.Add(@class, number = classes.Count);
                classes.Add(@class);
            }
            entries[at++] = KeyValuePair.Create(identity, number);
        }
        var table = new IdentityTable(entries);
        if (!tables.TryAdd(table, table))
        {
            table = tables[table];
        }
        return new PortPolicy(key, any, [.. classes], table, sets, otherProtocols);
    }

    private RuleBody CompileBody(PortRuleConfig config)
    {
        SniPattern[]? names = null;
        if (config.ServerNames.Count > 0)
        {
            names = new SniPattern[config.ServerNames.Count];
            for (var i = 0; i < names.Length; i++)
            {
                if (!serverNames.TryGetValue(config.ServerNames[i], out var pattern))
                {
                    serverNames.Add(config.ServerNames[i], pattern = SniPattern.Parse(config.ServerNames[i]));
                }
                names[i] = pattern;
            }
        }
        var verdict = config.PassPrecedence > 0 ? RuleVerdict.Pass : config.Deny ? RuleVerdict.Deny : RuleVerdict.Allow;
        return new RuleBody
        {
            Verdict = verdict,
            Precedence = config.Precedence,
            PassPrecedence = config.PassPrecedence,
            ProxyId = config.ProxyId,
            Name = config.Name,
            ServerNames = names,
            HttpRules = config.HttpRules is null ? null : CompileHttp(config.HttpRules),
            IsOtherProtocol = verdict == RuleVerdict.Allow && config.HttpRules is null
                && (config.KafkaRules is not null || config.L7Rules is not null || config.L7Proto.Length > 0),
            L7Proto = config.L7Proto,
            L7Rules = config.L7Rules,
            Downstream = config.DownstreamTlsContext,
            Upstream = config.UpstreamTlsContext,
        };
    }

    private HttpRuleSet CompileHttp(EquatableList<HttpRuleConfig> config)
    {
        if (httpRules.TryGetValue(config, out var known))
        {
            return known;
        }
        var rules = new HttpRule[config.Count];
        for (var i = 0; i < rules.Length; i++)
        {
            if (!httpRule.TryGetValue(config[i], out var rule))
            {
                httpRule.Add(config[i], rule = CompileHttpRule(config[i], $"http_rules.http_rules[{i}]"));
            }
            rules[i] = rule;
        }
        var set = new HttpRuleSet(config, rules);
        httpRules.Add(config, set);
        return set;
    }

    private HttpRule CompileHttpRule(HttpRuleConfig config, string path)
    {
        var headers = new HeaderMatcher[config.Headers.Count];
        var matches = new HeaderMatch[config.HeaderMatches.Count];
        var where = "";
        try
        {
            for (var i = 0; i < headers.Length; i++)
            {
                where = $"headers[{i}]";
                headers[i] = new HeaderMatcher(config.Headers[i], CompileMatcher);
            }
            for (var i = 0; i < matches.Length; i++)
            {
                where = $"header_matches[{i}]";
                matches[i] = new HeaderMatch(config.HeaderMatches[i]);
            }
        }
        catch (FieldException error)
        {
            throw new FieldException(error.Message) { Path = $"{path}.{where}" };
        }
        return new HttpRule(headers, matches);
    }

    private TextMatcher CompileMatcher(StringMatcherConfig config)
    {
        if (!matchers.TryGetValue(config, out var matcher))
        {
            matchers.Add(config, matcher = TextMatcherCompiler.Compile(config));
        }
        return matcher;
    }
}
