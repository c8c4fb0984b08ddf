using System;
using System.Collections.Generic;
using System.Diagnostics;
using System.IO;
using System.Linq;
using System.Text;
using Postern.Xds;
using Postern.Xds.Text;

namespace Postern.Tests.Xds;

/// <summary>Whatever the bytes: a configuration or an <see cref="XdsConfigException"/> of one line, within bounded time.</summary>
public class FuzzTests
{
    private const int Rounds = 3000;
    private static readonly TimeSpan Bound = TimeSpan.FromSeconds(5); // generous: the machine is shared
    private static readonly ConfigTextLimits Limits = new(MaxBytes: 4 << 20);

    private static readonly string[] Tokens =
    [
        "{", "}", "[", "]", ":", ",", "\"", "'", "\n", "\t", "- ", "? ", "| ", "> ", "&a ", "*a", "!!str ", "!<x> ", "%YAML 1.2\n", "---\n", "...\n",
        "#", "\0", "\\ud800", "\\U00110000", "\\x", "null", "~", "true", "-1", "1e999", "0x10", "010", "9999999999999999999999", "1.5s", "@type",
        "<<: ", "\uFEFF", "\u2028", "\u0085", "type.googleapis.com/cilium.NetworkPolicy", "resource", "http_rules: ", "string_match: {}",
    ];

    public static TheoryData<string> Seeds
    {
        get
        {
            var data = new TheoryData<string>();
            foreach (var file in Directory.EnumerateFiles(Path.Combine(SharedFiles.RepositoryRoot, "tests", "Xds", "Corpus")).Order(StringComparer.Ordinal))
            {
                data.Add(Path.GetFileName(file));
            }
            return data;
        }
    }

    [Theory]
    [MemberData(nameof(Seeds))]
    public void MutatedSeed_IsReadOrRefused(string name)
    {
        var seed = File.ReadAllBytes(Path.Combine(SharedFiles.RepositoryRoot, "tests", "Xds", "Corpus", name));
        var random = new Random(name.Length * 7919);
        Check(seed, name);
        for (var i = 0; i < Rounds; i++)
        {
            var mutant = Mutate(seed, random);
            Check(mutant, name);
        }
    }

    [Theory]
    [InlineData("corpus.yaml")]
    [InlineData("corpus.json")]
    public void HugeRepetitions_EndInTime(string name)
    {
        foreach (var token in Tokens.Concat(["- - ", "a: {", "[[", "{\"a\":", "\"\\\"", "a:\n ", "a\n", "[1,", "? ? ", "? - ", "- ? ", "{? ", "a: b: ", "&a &a ", "*a ", "!a !b ", "  ", "\"a\",", "'a' "]))
        {
            Check(Encoding.UTF8.GetBytes(string.Concat(Enumerable.Repeat(token, (512 << 10) / token.Length))), name);
        }
    }

    private static void Check(byte[] bytes, string name)
    {
        var clock = Stopwatch.StartNew();
        Attempt(() => BootstrapLoader.Load(bytes, name, Limits), bytes);
        Attempt(() => ResourceFile.Parse(bytes, name, ResourceKinds.Policy | ResourceKinds.Listener | ResourceKinds.Cluster, Limits), bytes);
        Assert.True(clock.Elapsed < Bound, $"{clock.Elapsed} for {bytes.Length} bytes: {Show(bytes)}");
    }

    private static void Attempt(Func<object> read, byte[] bytes)
    {
        try
        {
            read();
        }
        catch (XdsConfigException e)
        {
            Assert.DoesNotContain('\n', e.Message);
            Assert.True(e.Message.Length < 20_000, $"a message of {e.Message.Length} characters");
        }
        catch (Exception e)
        {
            Assert.Fail($"{e} for {Show(bytes)}");
        }
    }

    private static string Show(byte[] bytes) => Convert.ToBase64String(bytes.AsSpan(0, Math.Min(bytes.Length, 6000)));

    private static byte[] Mutate(byte[] seed, Random random)
    {
        var bytes = new List<byte>(seed);
        for (var n = random.Next(1, 5); n > 0 && bytes.Count > 0; n--)
        {
            var at = random.Next(bytes.Count);
            var length = Math.Min(random.Next(1, 40), bytes.Count - at);
            switch (random.Next(6))
            {
                case 0:
                    bytes[at] = (byte)random.Next(256);
                    break;
                case 1:
                    bytes.RemoveRange(at, length);
                    break;
                case 2:
                    bytes.InsertRange(random.Next(bytes.Count), bytes.GetRange(at, length));
                    break;
                case 3:
                    bytes.InsertRange(at, Encoding.UTF8.GetBytes(Tokens[random.Next(Tokens.Length)]));
                    break;
                case 4:
                    bytes.RemoveRange(at, length);
                    bytes.InsertRange(at, Encoding.UTF8.GetBytes(Tokens[random.Next(Tokens.Length)]));
                    break;
                default:
                    bytes.RemoveRange(at, bytes.Count - at);
                    break;
            }
        }
        return [.. bytes];
    }
}
