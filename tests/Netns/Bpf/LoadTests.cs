using System;
using System.Collections.Generic;
using System.Diagnostics;
using System.IO;
using System.Text;
using Postern.Netns.Fixture;
using Postern.Tproxy;
using Postern.Tproxy.Bpf;
using Postern.Tproxy.Steering;

namespace Postern.Tests.Netns.Bpf;

/// <summary>Loading the program, and every way in which that fails.</summary>
public sealed class LoadTests
{
    private readonly List<string> log = [];

    [NetnsFact]
    public void Program_LoadsWithoutAWord()
    {
        using var program = SteeringProgram.Load(null, new SteeringOptions(), log.Add);

        Assert.True(program.Ingress > 0 && program.Guard > 0);
        Assert.Empty(log);
        Assert.Equal(Enum.GetValues<SteeringCounter>().Length, SteeringCounters.Read(program.Maps.Counters).Count);
    }

    [NetnsFact]
    public void FlowEntries_BoundTheMapOfFlows()
    {
        using var program = SteeringProgram.Load(null, new SteeringOptions { FlowEntries = 2048 }, log.Add);

        Assert.Contains("max_entries:\t2048", File.ReadAllText($"/proc/self/fdinfo/{program.Maps.Flows.Descriptor}"), StringComparison.Ordinal);
    }

    [NetnsFact]
    public void AdoptedMaps_AreUsedAsTheyAre()
    {
        using var rig = new ProgramRig();
        HandWrittenSet.To("10.0.2.2", 80, 15001).Write(rig.Maps);

        using var second = SteeringProgram.Load(rig.Maps, new SteeringOptions(), log.Add);
        var answer = rig.Inside(() => Trial.Run(second.Ingress, Frame.OfTcp("10.0.1.2", 4000, "10.0.2.2", 80)).Answer);

        Assert.Equal((Trial.Dropped, "NoListener=1"), (answer, rig.Counted()));
        Assert.NotEqual(rig.Program.Ingress, second.Ingress);
    }

    [NetnsFact]
    public void FileThatIsNoObject_IsNamed() =>
        Assert.Contains("is no BPF object", Refusal(Embedded().AsSpan(0, 1000)), StringComparison.Ordinal);

    [NetnsFact]
    public void ObjectWithoutBtf_NamesTheCompilersFlag() => Assert.Contains("clang -g", Refusal(WithoutBtf()), StringComparison.Ordinal);

    [NetnsFact]
    public void ProgramThatTheVerifierRefuses_NamesTheReasonAndLogsAll()
    {
        var refusal = Refusal(Compile("__u32 key = 0, *value = bpf_map_lookup_elem(&devices, &key); return *value + skb->len;"));

        Assert.Contains("refuses the steering program: R", refusal, StringComparison.Ordinal);
        Assert.Contains("invalid mem access 'map_value_or_null'", refusal, StringComparison.Ordinal);
        Assert.Contains(log, line => line.StartsWith("processed ", StringComparison.Ordinal));
    }

    [NetnsFact]
    public void HelperThatTheKernelLacks_IsNamed() =>
        Assert.Contains("#9999", Refusal(Compile("static long (*const none)(void *) = (void *)9999; return none(skb);")), StringComparison.Ordinal);

    [NetnsFact]
    public void MapThatTheKernelLacks_IsNamed() =>
        Assert.Contains("'unheard_of'", Refusal(Compile("return skb->len;", "struct { __uint(type, 999); __uint(max_entries, 1); __type(key, __u32); __type(value, __u32); } unheard_of SEC(\".maps\");")), StringComparison.Ordinal);

    [NetnsFact]
    public void ProgramWithoutTheGuard_IsRefused() =>
        Assert.Contains("'postern_guard'", Refusal(Compile("return skb->len;")), StringComparison.Ordinal);

    [NetnsFact]
    public void NoCapability_IsNamed() => Unprivileged.Run(() =>
    {
        var refusal = Refusal(Embedded());
        Assert.Contains("CAP_BPF and CAP_NET_ADMIN", refusal, StringComparison.Ordinal);
    });

    [Fact]
    public void NoLibrary_IsTold()
    {
        Assert.True(SteeringProgram.LacksLibrary(new DllNotFoundException()));
        Assert.True(SteeringProgram.LacksLibrary(new TypeInitializationException(nameof(LibbpfLog), new DllNotFoundException())));
        Assert.False(SteeringProgram.LacksLibrary(new TproxyException("another")));
        Assert.Contains("libbpf1", LoadFault.NoLibrary, StringComparison.Ordinal);
    }

    /// <summary>Under another name the section is none.</summary>
    internal static byte[] WithoutBtf()
    {
        var bytes = Embedded();
        for (var at = bytes.AsSpan().IndexOf("BTF\0"u8); at >= 0; at = bytes.AsSpan().IndexOf("BTF\0"u8))
        {
            bytes[at] = (byte)'X';
        }

        return bytes;
    }

    private string Refusal(ReadOnlySpan<byte> bytes)
    {
        try
        {
            SteeringProgram.Load(bytes, null, new SteeringOptions(), log.Add).Dispose();
        }
        catch (TproxyException error)
        {
            Assert.DoesNotContain('\n', error.Message);
            return error.Message;
        }

        throw new InvalidOperationException("it loaded");
    }

    internal static byte[] Embedded()
    {
        using var stream = typeof(SteeringProgram).Assembly.GetManifestResourceStream("tproxy_bpf.o")!;
        var bytes = new byte[stream.Length];
        stream.ReadExactly(bytes);
        return bytes;
    }

    internal static byte[] Compile(string body, string before = "")
    {
        var native = Path.Combine(RepositoryFolder(), "native");
        var folder = Directory.CreateTempSubdirectory("pst-bpf-");
        try
        {
            var source = Path.Combine(folder.FullName, "trial.c");
            var target = Path.Combine(folder.FullName, "trial.o");
            File.WriteAllText(source, $"#include \"maps.h\"\n{before}\nSEC(\"tc\") int postern_ingress(struct __sk_buff *skb)\n{{ {body} }}\nchar _license[] SEC(\"license\") = \"GPL\";\n", Encoding.ASCII);
            var start = new ProcessStartInfo("clang") { WorkingDirectory = native };
            foreach (var argument in (string[])["@bpf.flags", "-Wno-unused-parameter", "-Wno-unused-function", "-I", native, "-c", source, "-o", target])
            {
                start.ArgumentList.Add(argument);
            }

            using var clang = Process.Start(start)!;
            clang.WaitForExit();
            Assert.Equal(0, clang.ExitCode);
            return File.ReadAllBytes(target);
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    private static string RepositoryFolder()
    {
        var folder = AppContext.BaseDirectory;
        while (!File.Exists(Path.Combine(folder, "Proxy.sln")))
        {
            folder = Path.GetDirectoryName(folder)!;
        }

        return folder;
    }
}
